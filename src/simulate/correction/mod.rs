//! Corrections of single neurons for each sample: silencing (SRP) and shifting the initial potential (COS).

pub mod cos;
pub mod srp;
