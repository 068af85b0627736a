//! The circuit: two columns of witnesses, three of constants, one of public inputs, and four gates. No lookups, no
//! permutation argument.
//!
//! # Columns
//!
//! `held` and `sum` are the prover's. `weight`, `factor` and `kind` are fixed with the keys. `public` holds each market's
//! public inputs from its first row on, and zero in all other rows. `block` is a constant of the circuit; see
//! [`table`](crate::table) for how a network is written into `weight` and `factor`. Each market has rows of its own, with the
//! same constants but for those of `factor` in the rows of outputs of its first block, where a market may have its own.
//!
//! `kind` says what a row is, in the rows of each market:
//!
//! | rows | `kind` | `carries = kind (3 - kind)` | `ties = kind (kind - 1)` |
//! |---|---|---|---|
//! | the first block | 2 | 2 | 2 |
//! | the blocks between | 1 | 2 | 0 |
//! | the outputs of the last block | 3 | 0 | 6 |
//! | all others, halo2's random rows among them | 0 | 0 | 0 |
//!
//! `weight` and `factor` are zero wherever `carries` is.
//!
//! # Gates
//!
//! Each holds on every row of the domain, rows taken modulo its size.
//!
//! 1. `carries · (sum[r + 1] - sum[r]) = 2 · weight · (held[r] + 1)`
//! 2. `carries · (held[r + block] - held[r]) = 2 · factor · (sum[r]² + 1)`
//! 3. `ties · held[r] = 2 · public[r]`
//! 4. `ties · sum[r] = 0`
//!
//! # Why only the network's outputs satisfy them
//!
//! Take the rows of one market, counted from its first. Write `F` for its features, `O` for its outputs, and let its public
//! inputs be `F + O` elements `x`, `y`: the verifier fixes their number and their rows, and all others of `public` are zero.
//!
//! - *First block.* `ties` is 2, so by gate 3 `held` is `x`, then `y`, then zero to the end of the block; by gate 4 `sum`
//!   is zero.
//! - *Below.* Let `L` be the first row of the last block. `carries` is 2 on the rows `0..L`. Gate 1 gives `sum[r + 1]` from
//!   row `r`, gate 2 `held[r + block]` from row `r`: by induction over `r` every `sum[0..=L]` and every
//!   `held[0..L + block]` has one value, a function of `x` and `y`, the one that `Table::witness` computes. No cell of
//!   these is free, and no index leaves the market's rows, whose number is `L + block`.
//! - *Last block.* `ties` is 6 on the rows of outputs and `public` is zero there (they lie below the first block), so by
//!   gate 3 `held` is zero. That value is `y[m] - N[m](x)`, where `N` is what the table says, by this sum: it starts as
//!   `y[m]`, and each block adds `factor · (sum² + 1)`. Hence `y = N(x)`, an identity over the field, for any `x`.
//! - *Other markets.* `carries` is zero in a market's last block, so that nothing of it binds the rows that follow, and the
//!   first block of the next market starts from its own public inputs and a sum of zero.
//! - *The table is the network.* That is no matter of the circuit: the table is made from the bundle's integers, the keys
//!   and the contract from the table, each by code that gives the same bytes again. Whoever has the bundle does it again
//!   and compares the contract's code hash.
//!
//! The cells of `sum` in the last block after its first row belong to no statement; the witness has zeros there, which is
//! what gate 4 asks on the rows of outputs.
//!
//! The transcript takes the public inputs and leaves the zeros between them out: where they stand is fixed with the keys,
//! so that the public inputs say the whole column.
//!
//! Nothing bounds `x`: see the crate's first page. All gates have degree 3, so that the quotient has two pieces.

use halo2_axiom::circuit::{Layouter, SimpleFloorPlanner, Value};
use halo2_axiom::halo2curves::bn256::Fr;
use halo2_axiom::halo2curves::ff::Field;
use halo2_axiom::plonk::{Advice, Assigned, Circuit, Column, ConstraintSystem, Error, Expression, Fixed, Instance};
use halo2_axiom::poly::Rotation;

use crate::table::{Table, Witness};

const BETWEEN: u64 = 1;
const FIRST: u64 = 2;
const LAST: u64 = 3;

/// A table with or without a witness.
#[derive(Debug, Clone)]
pub struct NetworkCircuit<'a> {
    /// The constants.
    pub table: &'a Table,
    /// What is proven; keys need none.
    pub witness: Option<Witness>,
}

/// The columns.
#[derive(Debug, Clone)]
pub struct Columns {
    held: Column<Advice>,
    sum: Column<Advice>,
    weight: Column<Fixed>,
    factor: Column<Fixed>,
    kind: Column<Fixed>,
}

impl Columns {
    fn new(meta: &mut ConstraintSystem<Fr>, block: i32) -> Self {
        let [held, sum] = [meta.advice_column(), meta.advice_column()];
        let [weight, factor, kind] = [meta.fixed_column(), meta.fixed_column(), meta.fixed_column()];
        let public: Column<Instance> = meta.instance_column();
        let constant = |value: u64| Expression::Constant(Fr::from(value));
        meta.create_gate("a network of squares", |meta| {
            let [weight, factor, kind] = [weight, factor, kind].map(|column| meta.query_fixed(column, Rotation::cur()));
            let [here, next_block] =
                [Rotation::cur(), Rotation(block)].map(|rotation| meta.query_advice(held, rotation));
            let [so_far, next_sum] =
                [Rotation::cur(), Rotation::next()].map(|rotation| meta.query_advice(sum, rotation));
            let public = meta.query_instance(public, Rotation::cur());
            let carries = kind.clone() * (constant(LAST) - kind.clone());
            let ties = kind.clone() * (kind - constant(BETWEEN));
            let square = so_far.clone() * so_far.clone();
            [
                carries.clone() * (next_sum - so_far.clone()) - weight * (here.clone() + constant(1)) * Fr::from(2),
                carries * (next_block - here.clone()) - factor * (square + constant(1)) * Fr::from(2),
                ties.clone() * here - public * Fr::from(2),
                ties * so_far,
            ]
        });
        Self { held, sum, weight, factor, kind }
    }
}

impl Circuit<Fr> for NetworkCircuit<'_> {
    type Config = Columns;
    type FloorPlanner = SimpleFloorPlanner;
    /// Rows of a block.
    type Params = usize;

    fn params(&self) -> usize {
        self.table.block
    }

    fn without_witnesses(&self) -> Self {
        Self { table: self.table, witness: None }
    }

    fn configure_with_params(meta: &mut ConstraintSystem<Fr>, block: usize) -> Columns {
        Columns::new(meta, i32::try_from(block).expect("a block is shorter than the largest domain"))
    }

    fn configure(meta: &mut ConstraintSystem<Fr>) -> Columns {
        Self::configure_with_params(meta, 1)
    }

    fn synthesize(&self, columns: Columns, mut layouter: impl Layouter<Fr>) -> Result<(), Error> {
        let table = self.table;
        layouter.assign_region(
            || "the whole table",
            |mut region| {
                for market in 0..table.markets {
                    let first = market * table.market_rows();
                    for (row, weight) in table.weights.iter().enumerate() {
                        region.assign_fixed(columns.weight, first + row, *weight);
                        region.assign_fixed(columns.factor, first + row, table.factor(market, row));
                        let kind = if row < table.block { FIRST } else { BETWEEN };
                        region.assign_fixed(columns.kind, first + row, Fr::from(kind));
                    }
                    let outputs = first + table.last_block() + table.features;
                    for row in outputs..outputs + table.outputs {
                        region.assign_fixed(columns.kind, row, Fr::from(LAST));
                    }
                }
                let rows = table.markets * table.market_rows();
                for row in 0..rows {
                    for (column, values) in [
                        (columns.held, self.witness.as_ref().map(|witness| &witness.held)),
                        (columns.sum, self.witness.as_ref().map(|witness| &witness.sum)),
                    ] {
                        let value = values.map_or(Fr::ZERO, |values| values[row]);
                        region.assign_advice(column, row, Value::known(Assigned::Trivial(value)));
                    }
                }
                Ok(())
            },
        )
    }
}
