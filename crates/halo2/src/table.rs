//! A program as columns of constants over rows, and the witness of given public inputs.
//!
//! The rows are blocks of equal length. A block holds, in order, the *positions*: the features, the outputs, one register
//! for each square that needs the result of earlier squares, and a last one that always holds zero. A square has a block
//! of its own. Two columns of witnesses, `held` and `sum`, follow two rules from row to row:
//!
//! ```text
//! sum[r + 1]      = sum[r]  + weight[r] · (held[r] + 1)              a running sum
//! held[r + block] = held[r] + factor[r] · (sum[r]² + 1)              the next block's copy, with squares added
//! ```
//!
//! - A form's weights are set over the features of its block, and over the registers and the last position of the block
//!   before. The running sum is never set back: what stands in `weight` is the form minus the form before it, so that the
//!   sum at the outputs' rows of a block *is* that block's form. A constant is the weight at the last position, where
//!   `held` is zero; the `+ 1` adds each weight itself, which the constant takes back.
//! - `factor` is the weight of the block's square in each output (negative) and register (positive). In the first block
//!   the sum is zero and its square plus one is one: `factor` there adds constants, among them what the `+ 1` adds later.
//! - Outputs start as the public inputs claim them and must end as zero in the last block.
//!
//! Each market has such rows of its own, one market after the other, with the same constants but for those that its outputs have
//! of their own, which stand with the others in `factor` of the first block. Its public inputs are the first rows of its first block. What halo2 takes for the column of public inputs has zeros between them.

use halo2_axiom::halo2curves::bn256::Fr;
use halo2_axiom::halo2curves::ff::Field;
use veriregime_core::model::integer::IntegerModel;

use crate::Halo2Error;
use crate::program::{Form, Program, Term};

/// Rows at the end that halo2 fills with random numbers.
pub const BLINDED_ROWS: usize = 6;
/// Smallest and largest log2 of the number of rows.
const ROW_BITS: std::ops::RangeInclusive<u32> = 6..=17;

/// The circuit's constants.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Table {
    /// Number of markets.
    pub markets: usize,
    /// Number of features of a market.
    pub features: usize,
    /// Number of outputs of a market.
    pub outputs: usize,
    /// Rows of a block.
    pub block: usize,
    /// Number of blocks of a market; the first is of public inputs, the last of results.
    pub blocks: usize,
    /// log2 of the number of rows.
    pub row_bits: u32,
    /// What each row of a market adds to the sum, up to the last block.
    pub weights: Vec<Fr>,
    /// What each row of the first market adds to the next block's, up to the last block.
    pub factors: Vec<Fr>,
    /// What each market's outputs have more than the first one's: the claims of the first block are less by as much. None where all
    /// markets take the same way.
    pub offsets: Vec<Vec<Fr>>,
}

/// The columns of witnesses.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Witness {
    /// Values carried from block to block.
    pub held: Vec<Fr>,
    /// The running sum.
    pub sum: Vec<Fr>,
}

/// The blocks of squares, and the register that stands for the earlier squares of each.
struct Plan {
    blocks: Vec<usize>,
    registers: Vec<Option<usize>>,
    used: usize,
}

impl Plan {
    fn new(squared: &[Form]) -> Self {
        let mut used = 0;
        let registers: Vec<_> = squared
            .iter()
            .map(|form| {
                form.squares().next().map(|_| {
                    used += 1;
                    used - 1
                })
            })
            .collect();
        let mut is_read = vec![false; squared.len()];
        for (index, _) in squared.iter().flat_map(Form::squares) {
            is_read[index] = true;
        }
        let mut blocks = Vec::with_capacity(squared.len());
        let mut next = 1;
        for index in 0..squared.len() {
            // Registers are read in the block before, when they must be complete and the sum must be free to change.
            let changes = |register: Option<&Option<usize>>| register.is_some_and(Option::is_some);
            let before = index.checked_sub(1);
            let reads = changes(registers.get(index)) || before.is_some_and(|before| changes(registers.get(before)));
            if reads && before.is_some_and(|before| is_read[before]) {
                next += 1;
            }
            blocks.push(next);
            next += 1;
        }
        Self { blocks, registers, used }
    }
}

impl Table {
    /// That of a model.
    ///
    /// # Errors
    /// What [`Program::new`] reports, or [`Halo2Error::TooLarge`].
    pub fn of(model: &IntegerModel) -> Result<Self, Halo2Error> {
        Self::new(&Program::new(model)?, model.layout().markets)
    }

    /// Lays a program out, once for each market.
    ///
    /// # Errors
    /// [`Halo2Error::TooLarge`].
    pub fn new(program: &Program, markets: usize) -> Result<Self, Halo2Error> {
        let plan = Plan::new(&program.squared);
        let (features, outputs) = (program.features, program.outputs.len());
        let block = features + outputs + plan.used + 1;
        let blocks = plan.blocks.last().map_or(2, |last| last + 2);
        let rows = block * blocks * markets;
        let most = (1 << ROW_BITS.end()) - BLINDED_ROWS;
        let fits = |bits: &u32| rows <= (1 << bits) - BLINDED_ROWS;
        let row_bits = ROW_BITS.into_iter().find(fits).ok_or(Halo2Error::TooLarge { rows, most })?;
        let carried = vec![Fr::ZERO; block * (blocks - 1)];
        let (weights, factors) = (carried.clone(), carried);
        let offsets = program.offsets.clone();
        let mut table = Self { markets, features, outputs, block, blocks, row_bits, weights, factors, offsets };
        table.set_weights(&program.squared, &plan);
        for (index, output) in program.outputs.iter().enumerate() {
            table.set_factors(features + index, output, -Fr::ONE, &plan);
        }
        for (form, register) in program.squared.iter().zip(&plan.registers) {
            if let Some(register) = register {
                let terms = form.squares().map(|(square, weight)| (Term::Square(square), weight)).collect();
                let squares = Form { constant: Fr::ZERO, terms };
                table.set_factors(features + outputs + register, &squares, Fr::ONE, &plan);
            }
        }
        Ok(table)
    }

    /// Sets the differences between each form and the one before.
    fn set_weights(&mut self, squared: &[Form], plan: &Plan) {
        let registers = self.features + self.outputs;
        let (mut before, mut before_register) = (Form::default(), None);
        for ((form, register), square_block) in squared.iter().zip(&plan.registers).zip(&plan.blocks) {
            let (own, previous) = (square_block * self.block, (square_block - 1) * self.block);
            let mut rows: Vec<(usize, Fr)> = Vec::with_capacity(2 * self.block);
            rows.extend(form.features().map(|(feature, weight)| (own + feature, weight)));
            rows.extend(before.features().map(|(feature, weight)| (own + feature, -weight)));
            rows.extend(register.map(|register: usize| (previous + registers + register, Fr::ONE)));
            rows.extend(before_register.map(|register: usize| (previous + registers + register, -Fr::ONE)));
            let mut constant = form.constant - before.constant;
            for (row, weight) in rows {
                self.weights[row] += weight;
                constant -= weight;
            }
            self.weights[previous + self.block - 1] += constant;
            (before, before_register) = (form.clone(), *register);
        }
    }

    /// Adds `sign · form` to a position over the blocks of the squares in it.
    fn set_factors(&mut self, position: usize, form: &Form, sign: Fr, plan: &Plan) {
        self.factors[position] += form.constant * sign;
        for (square, weight) in form.squares() {
            self.factors[plan.blocks[square] * self.block + position] += weight * sign;
            self.factors[position] -= weight * sign;
        }
    }

    /// What a row of a market adds to the next block's.
    pub fn factor(&self, market: usize, row: usize) -> Fr {
        let output = row.checked_sub(self.features);
        let own = output.and_then(|output| self.offsets.get(market)?.get(output));
        self.factors[row] - own.unwrap_or(&Fr::ZERO)
    }

    /// The first row of a market's last block, counted from its first row.
    pub fn last_block(&self) -> usize {
        self.block * (self.blocks - 1)
    }

    /// Rows of a market.
    pub fn market_rows(&self) -> usize {
        self.block * self.blocks
    }

    /// Public inputs of a market.
    pub fn market_instances(&self) -> usize {
        self.features + self.outputs
    }

    /// Public inputs of all markets.
    pub fn instances(&self) -> usize {
        self.markets * self.market_instances()
    }

    /// The column of public inputs, up to the last of them.
    ///
    /// # Errors
    /// [`Halo2Error::Count`].
    pub fn public(&self, features: &[Fr], outputs: &[Fr]) -> Result<Vec<Fr>, Halo2Error> {
        self.check(features, outputs)?;
        let mut public = Vec::with_capacity(self.markets * self.market_rows());
        for (features, outputs) in features.chunks(self.features).zip(outputs.chunks(self.outputs)) {
            public.resize(public.len().next_multiple_of(self.market_rows()), Fr::ZERO);
            public.extend(features.iter().chain(outputs));
        }
        Ok(public)
    }

    /// Whether each row up to the last public input holds one.
    pub fn is_public(&self) -> impl Iterator<Item = bool> + use<> {
        let (rows, instances) = (self.market_rows(), self.market_instances());
        (0..(self.markets - 1) * rows + instances).map(move |row| row % rows < instances)
    }

    /// Both columns for features and for outputs that may be wrong, of all markets. In a last block `sum` is zero but for its
    /// first row.
    ///
    /// # Errors
    /// [`Halo2Error::Count`].
    pub fn witness(&self, features: &[Fr], outputs: &[Fr]) -> Result<Witness, Halo2Error> {
        self.check(features, outputs)?;
        let rows = self.market_rows();
        let mut held = vec![Fr::ZERO; rows * self.markets];
        let mut sum = held.clone();
        let public = features.chunks(self.features).zip(outputs.chunks(self.outputs));
        let columns = held.chunks_mut(rows).zip(sum.chunks_mut(rows)).enumerate();
        for ((market, (held, sum)), (features, outputs)) in columns.zip(public) {
            held[..self.features].copy_from_slice(features);
            held[self.features..self.market_instances()].copy_from_slice(outputs);
            for row in 0..self.last_block() {
                sum[row + 1] = sum[row] + self.weights[row] * (held[row] + Fr::ONE);
                let factor = self.factor(market, row);
                let added = if factor == Fr::ZERO { Fr::ZERO } else { factor * (sum[row].square() + Fr::ONE) };
                held[row + self.block] = held[row] + added;
            }
        }
        Ok(Witness { held, sum })
    }

    /// The outputs for features, of all markets: what is missing from outputs of zero.
    ///
    /// # Errors
    /// [`Halo2Error::Count`].
    pub fn evaluate(&self, features: &[Fr]) -> Result<Vec<Fr>, Halo2Error> {
        let witness = self.witness(features, &vec![Fr::ZERO; self.markets * self.outputs])?;
        let first = self.last_block() + self.features;
        let missing = witness.held.chunks(self.market_rows()).flat_map(|held| &held[first..first + self.outputs]);
        Ok(missing.map(|missing| -missing).collect())
    }

    fn check(&self, features: &[Fr], outputs: &[Fr]) -> Result<(), Halo2Error> {
        if features.len() == self.markets * self.features && outputs.len() == self.markets * self.outputs {
            return Ok(());
        }
        Err(Halo2Error::Count { given: features.len() + outputs.len(), needed: self.instances() })
    }
}
