//! Corrections of single neurons for each sample: silencing (SRP) and shifted initial potential (COS).

pub mod cos;
pub mod srp;
