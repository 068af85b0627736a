//! The instructions that arithmetic in the field is compiled for.

use crate::Halo2Error;

/// Refuses a processor that would end the program at the first multiplication. Whatever multiplies comes after this.
///
/// # Errors
/// [`Halo2Error::Processor`].
pub fn check() -> Result<(), Halo2Error> {
    #[cfg(target_arch = "x86_64")]
    if !(std::arch::is_x86_feature_detected!("adx") && std::arch::is_x86_feature_detected!("bmi2")) {
        return Err(Halo2Error::Processor);
    }
    Ok(())
}
