//! tmp
use crate::{Error, Result, data::Samples};
pub struct DataSpec(String);
impl DataSpec {
    pub fn parse(t: &str) -> Result<Self> {
        Ok(Self(t.into()))
    }
    pub fn guess(p: &std::path::Path) -> Result<Self> {
        Ok(Self(p.display().to_string()))
    }
    pub fn load(&self) -> Result<Samples> {
        Err(Error::Invalid(self.0.clone()))
    }
    pub fn load_for(&self, _s: &[usize]) -> Result<Samples> {
        self.load()
    }
}
impl std::fmt::Display for DataSpec {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.0)
    }
}
pub enum NpzData {
    I16(Vec<i16>),
}
pub fn write_npz(_p: &std::path::Path, _a: &[(String, Vec<usize>, NpzData)]) -> Result<()> {
    Ok(())
}
pub fn check_labels(_s: &Samples, _c: usize) -> Result<()> {
    Ok(())
}
