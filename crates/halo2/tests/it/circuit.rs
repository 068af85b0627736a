//! The gates: satisfied by the network's outputs, and by nothing that differs from them in one cell.

use halo2_axiom::dev::MockProver;
use halo2_axiom::halo2curves::bn256::Fr;
use halo2_axiom::halo2curves::ff::Field;
use veriregime_core::model::integer::IntegerModel;
use veriregime_halo2::circuit::NetworkCircuit;
use veriregime_halo2::field::from_integer;
use veriregime_halo2::table::{Table, Witness};

use crate::given::{deep, rows, shipped};

/// A table with a row of features and their outputs.
struct Case {
    table: Table,
    features: Vec<Fr>,
    outputs: Vec<Fr>,
}

impl Case {
    fn all(model: &IntegerModel, count: usize) -> Vec<Self> {
        let table = Table::of(model).unwrap();
        let case = |row: Vec<i32>| {
            let features = row.iter().map(|value| from_integer(i128::from(*value))).collect();
            let outputs = model.evaluate(&row).unwrap().concat().into_iter().map(from_integer).collect();
            Self { table: table.clone(), features, outputs }
        };
        rows(&model.layout(), count).into_iter().map(case).collect()
    }

    /// One with random features.
    fn random(model: &IntegerModel) -> Self {
        Self::all(model, 200).pop().unwrap()
    }

    fn witness(&self) -> Witness {
        self.table.witness(&self.features, &self.outputs).unwrap()
    }

    fn public(&self) -> Vec<Fr> {
        [self.features.clone(), self.outputs.clone()].concat()
    }
}

fn is_satisfied(table: &Table, witness: Witness, public: Vec<Fr>) -> bool {
    let circuit = NetworkCircuit { table, witness: Some(witness) };
    let (features, outputs) = public.split_at(table.markets * table.features);
    let column = table.public(features, outputs).unwrap();
    MockProver::run(table.row_bits, &circuit, vec![column]).unwrap().verify().is_ok()
}

#[test]
fn the_networks_outputs_satisfy_the_circuit() {
    for case in Case::all(&shipped(), 60).into_iter().chain(Case::all(&deep(2), 40)) {
        assert!(is_satisfied(&case.table, case.witness(), case.public()));
    }
}

#[test]
fn no_cell_of_the_witness_can_be_changed() {
    for case in [Case::random(&shipped()), Case::random(&deep(1)), Case::random(&deep(2))] {
        let (last, market) = (case.table.last_block(), case.table.market_rows());
        let tied = last + case.table.features..last + case.table.market_instances();
        for row in 0..case.table.markets * market {
            let mut witness = case.witness();
            witness.held[row] += Fr::ONE;
            assert!(!is_satisfied(&case.table, witness, case.public()), "held in row {row}");
            let mut witness = case.witness();
            witness.sum[row] += Fr::ONE;
            // The cells that belong to no statement, and no others.
            let is_free = row % market > last && !tied.contains(&(row % market));
            assert_eq!(is_satisfied(&case.table, witness, case.public()), is_free, "sum in row {row}");
        }
    }
}

#[test]
fn no_constant_can_be_changed() {
    for case in [Case::random(&shipped()), Case::random(&deep(1)), Case::random(&deep(2))] {
        for row in 0..case.table.last_block() {
            let mut table = case.table.clone();
            table.weights[row] += Fr::ONE;
            // A weight acts on what is held plus one.
            let held = case.witness().held;
            let acts = held.chunks(case.table.market_rows()).any(|held| held[row] != -Fr::ONE);
            assert_eq!(is_satisfied(&table, case.witness(), case.public()), !acts, "weight in row {row}");
            let mut table = case.table.clone();
            table.factors[row] += Fr::ONE;
            assert!(!is_satisfied(&table, case.witness(), case.public()), "factor in row {row}");
        }
    }
}

#[test]
fn no_public_input_can_be_changed_with_or_without_its_witness() {
    for case in [Case::random(&shipped()), Case::random(&deep(2))] {
        for index in 0..case.public().len() {
            let mut public = case.public();
            public[index] += Fr::ONE;
            assert!(!is_satisfied(&case.table, case.witness(), public.clone()), "public input {index}");
            let (features, outputs) = public.split_at(case.features.len());
            let witness = case.table.witness(features, outputs).unwrap();
            assert!(!is_satisfied(&case.table, witness, public.clone()), "public input {index}, and its witness");
        }
    }
}
