//! Circuits, keys and verifiers of a network that was changed, by each way that its model offered before.

use std::path::Path;
use std::time::Duration;

use super::set_up::CircuitTools;
use super::trial::measured;
use crate::bundle::Bundle;
use crate::devnet::CHAIN_ID;
use crate::verification::Prover;
use crate::verification::direct::DirectProver;
use crate::verification::ezkl::build::{Build, CircuitConfig, build};
use crate::verification::ezkl::prover::EzklProver;
use crate::verification::ezkl::supervisor::Ezkl;
use crate::verification::ezkl::worker::Settings as WorkerSettings;
use crate::verification::halo2::Halo2Prover;
use crate::verification::set_up::make;
use veriregime_core::types::manifest::verification::{Verification, Way};
use veriregime_core::types::manifest::{Manifest, VERIFIER_BYTECODE_FILE};

/// Longest time for one step.
const DEADLINE: Duration = Duration::from_mins(10);
/// Largest compiled verifier.
const MAX_BYTECODE_BYTES: u64 = 1 << 20;

/// Seals the bundle of `manifest` in `folder`, which holds its network and the files that it names, with each of these ways anew.
///
/// # Errors
/// A network that a way cannot do, an SRS that is absent, or what the prover or the compiler runs into.
pub async fn renewed(
    folder: &Path,
    mut manifest: Manifest,
    ways: &[Way],
    tools: &CircuitTools<'_>,
    show: &dyn Fn(&str),
) -> anyhow::Result<Bundle> {
    let before = std::mem::take(&mut manifest.verification);
    let worker =
        WorkerSettings { python: tools.python.clone(), deadline: DEADLINE, memory_limit_mb: tools.memory_limit_mb };
    if ways.contains(&Way::Ezkl) {
        show("EZKL's circuit and keys");
        let old = Manifest { verification: before, ..manifest.clone() };
        let form = CircuitConfig { logrows: None, ..CircuitConfig::of(&old)? };
        let request = Build {
            folder,
            srs_folder: tools.srs_folder,
            markets: manifest.rows(),
            features: manifest.columns(),
            outputs: manifest.outputs.len(),
            form,
            compiler: &tools.compiler,
        };
        let mut ezkl = Ezkl::new(worker.clone());
        let built = build(&mut ezkl, &request).await;
        ezkl.stop().await;
        manifest.verification = Verification { ezkl: Some(built?.circuit), ..Verification::default() };
    }
    let mut bundle = Bundle::seal(folder, manifest)?;
    if ways.contains(&Way::Ezkl) {
        show("proofs by EZKL");
        let code = veriregime_files::read_text(&folder.join(VERIFIER_BYTECODE_FILE), MAX_BYTECODE_BYTES)?;
        let mut prover = Prover::Ezkl(Box::new(EzklProver::start(worker, &bundle, tools.srs_folder, CHAIN_ID).await?));
        let trial = measured(&mut prover, &bundle, &code.trim().parse()?).await;
        prover.stop().await;
        if let Some(circuit) = &mut bundle.manifest.verification.ezkl {
            circuit.verify_gas = trial?.gas;
        }
        bundle = Bundle::seal(folder, bundle.manifest)?;
    }
    for way in ways.iter().filter(|way| **way != Way::Ezkl) {
        show(&format!("verifier by {way}"));
        let mut made = make(&bundle, *way, tools.srs_folder, &tools.compiler).await?;
        let code = made.compiled.bytecode.clone();
        let sealed = made.clone().seal(folder, bundle.manifest.clone())?;
        let mut prover = match way {
            Way::Direct => Prover::Direct(DirectProver::new(&sealed)?),
            _ => Prover::Halo2(Halo2Prover::start(&sealed, tools.srs_folder, CHAIN_ID).await?),
        };
        if let Some(gas) = measured(&mut prover, &sealed, &code).await?.gas {
            made.set_verify_gas(gas);
        }
        bundle = made.seal(folder, bundle.manifest)?;
    }
    Ok(bundle)
}
