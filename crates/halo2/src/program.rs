//! A network as squares: every square of a linear form, and every output as a sum of squares, over the scalar field.
//! It is that of one market; all go through the same network, to whose outputs each may add something of its own.
//!
//! Weighted sums are composed symbolically, so that only products remain. A product of different forms is a difference
//! of two squares, `ab = ((a + b)² - (a - b)²) / 4`, and so is what reaches an output without a square, `a = a · 1`.

use std::collections::BTreeMap;

use halo2_axiom::halo2curves::bn256::Fr;
use halo2_axiom::halo2curves::ff::{Field, PrimeField};
use veriregime_core::model::integer::{IntegerModel, Step};

use crate::field::from_integer;
use crate::{Halo2Error, processor};

/// What a linear form is over.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Term {
    /// A feature, by its place among the public inputs.
    Feature(usize),
    /// An earlier square of the program.
    Square(usize),
}

/// A constant and a sum of weighted terms, none of weight zero.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Form {
    /// What stands alone.
    pub constant: Fr,
    /// Weights.
    pub terms: BTreeMap<Term, Fr>,
}

impl Form {
    fn constant(constant: Fr) -> Self {
        Self { constant, terms: BTreeMap::new() }
    }

    fn of(term: Term) -> Self {
        Self { constant: Fr::ZERO, terms: BTreeMap::from([(term, Fr::ONE)]) }
    }

    /// Adds `factor · other`.
    fn add(&mut self, other: &Self, factor: Fr) {
        self.constant += other.constant * factor;
        for (term, weight) in &other.terms {
            *self.terms.entry(*term).or_insert(Fr::ZERO) += *weight * factor;
        }
        self.terms.retain(|_, weight| *weight != Fr::ZERO);
    }

    fn scaled(&self, factor: Fr) -> Self {
        let mut scaled = Self::default();
        scaled.add(self, factor);
        scaled
    }

    /// The features in it, with their weights.
    pub fn features(&self) -> impl Iterator<Item = (usize, Fr)> {
        self.terms.iter().filter_map(|(term, weight)| match term {
            Term::Feature(index) => Some((*index, *weight)),
            Term::Square(_) => None,
        })
    }

    /// The squares in it, with their weights.
    pub fn squares(&self) -> impl Iterator<Item = (usize, Fr)> {
        self.terms.iter().filter_map(|(term, weight)| match term {
            Term::Square(index) => Some((*index, *weight)),
            Term::Feature(_) => None,
        })
    }
}

/// Everything that a circuit must show.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Program {
    /// Number of features.
    pub features: usize,
    /// The forms that are squared; each is over features and squares before it.
    pub squared: Vec<Form>,
    /// The outputs of the first market, each over squares alone.
    pub outputs: Vec<Form>,
    /// What each market's outputs have more than these; none where all take the same way.
    pub offsets: Vec<Vec<Fr>>,
}

impl Program {
    /// The program of a model.
    ///
    /// # Errors
    /// [`Halo2Error::Processor`], [`Halo2Error::Unsupported`] or [`Halo2Error::Constant`].
    pub fn new(model: &IntegerModel) -> Result<Self, Halo2Error> {
        processor::check()?;
        let features = model.layout().features;
        let mut program = Self { features, squared: Vec::new(), outputs: Vec::new(), offsets: Vec::new() };
        let mut rows = vec![(0..features).map(|index| Form::of(Term::Feature(index))).collect()];
        for (index, step) in model.steps().iter().enumerate() {
            let row =
                program.step(step, &rows).ok_or(Halo2Error::Unsupported { step: index + 1, operation: "Relu" })?;
            rows.push(row);
        }
        let shift = power_of_two(model.output_shift());
        for output in rows.pop().unwrap_or_default() {
            let output = program.without_features(&output.scaled(shift));
            program.outputs.push(output);
        }
        let lifted = |own: &Vec<i128>| own.iter().map(|more| from_integer(*more) * shift).collect();
        program.offsets = model.offsets().iter().map(lifted).collect();
        if program.outputs.iter().all(|output| output.terms.is_empty()) {
            return Err(Halo2Error::Constant);
        }
        Ok(program)
    }

    /// The forms of a step's result, if it is one that squares can express.
    fn step(&mut self, step: &Step, rows: &[Vec<Form>]) -> Option<Vec<Form>> {
        let result = match step {
            Step::MatMul { row, weights, columns } => {
                let mut sums = vec![Form::default(); *columns];
                for (form, weights) in rows[*row].iter().zip(weights.chunks_exact(*columns)) {
                    for (sum, weight) in sums.iter_mut().zip(weights) {
                        sum.add(form, from_integer(*weight));
                    }
                }
                sums
            }
            Step::AddConstant { row, shift, constant } => {
                let lifted = rows[*row].iter().map(|form| form.scaled(power_of_two(*shift)));
                let with = |(mut form, constant): (Form, &i128)| {
                    form.constant += from_integer(*constant);
                    form
                };
                lifted.zip(constant).map(with).collect()
            }
            Step::Add { left, left_shift, right, right_shift } => {
                let sum = |(left, right): (&Form, &Form)| {
                    let mut sum = left.scaled(power_of_two(*left_shift));
                    sum.add(right, power_of_two(*right_shift));
                    sum
                };
                rows[*left].iter().zip(&rows[*right]).map(sum).collect()
            }
            Step::Multiply { left, right } => {
                rows[*left].iter().zip(&rows[*right]).map(|(left, right)| self.product(left, right)).collect()
            }
            Step::Relu { .. } => return None,
        };
        Some(result)
    }

    fn product(&mut self, left: &Form, right: &Form) -> Form {
        match (left.terms.is_empty(), right.terms.is_empty()) {
            (true, _) => right.scaled(left.constant),
            (_, true) => left.scaled(right.constant),
            _ if left == right => self.square(left.clone()),
            _ => self.difference_of_squares(left, right),
        }
    }

    fn square(&mut self, form: Form) -> Form {
        self.squared.push(form);
        Form::of(Term::Square(self.squared.len() - 1))
    }

    fn difference_of_squares(&mut self, left: &Form, right: &Form) -> Form {
        let (mut sum, mut difference) = (left.clone(), left.clone());
        sum.add(right, Fr::ONE);
        difference.add(right, -Fr::ONE);
        let quarter = Fr::TWO_INV.square();
        let mut product = self.square(sum).scaled(quarter);
        let difference = self.square(difference);
        product.add(&difference, -quarter);
        product
    }

    /// The same values without features outside of squares.
    fn without_features(&mut self, form: &Form) -> Form {
        let (mut rest, mut linear) = (Form::constant(form.constant), Form::default());
        for (term, weight) in &form.terms {
            let part = if matches!(term, Term::Feature(_)) { &mut linear } else { &mut rest };
            part.terms.insert(*term, *weight);
        }
        if !linear.terms.is_empty() {
            let product = self.difference_of_squares(&linear, &Form::constant(Fr::ONE));
            rest.add(&product, Fr::ONE);
        }
        rest
    }
}

fn power_of_two(exponent: u32) -> Fr {
    Fr::from(2).pow([u64::from(exponent)])
}
