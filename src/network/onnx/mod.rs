//! tmp
pub fn read(path: &std::path::Path) -> crate::Result<super::Network> {
    Err(crate::Error::file(path, "", "tmp"))
}
