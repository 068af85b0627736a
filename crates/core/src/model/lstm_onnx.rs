//! LSTM networks as ONNX, unrolled over their days.

use tract_onnx::pb::GraphProto;

use super::export::{file, node, place, rows, tensor};
use super::lstm::{Cell, GATES, LstmNetwork, Sums};

/// Names of the gates' functions, in their order.
const FUNCTIONS: [&str; GATES] = ["Sigmoid", "Sigmoid", "Tanh", "Sigmoid"];

impl LstmNetwork {
    /// The ONNX file, unrolled and static in shape as EZKL wants it. Days are weighed apart from what stands beside them.
    pub fn to_onnx(&self) -> Vec<u8> {
        let mut graph = Graph(GraphProto {
            name: "veriregime".into(),
            input: vec![rows("features", 1, self.features())],
            output: vec![rows("outputs", 1, self.heads.bias.len())],
            ..GraphProto::default()
        });
        graph.0.initializer.extend([place("axis", 1), place("place_0", 0)]);
        let widths = self.cells.iter().flat_map(|cell| (1..=GATES).map(|gate| gate * cell.units));
        let mut places: Vec<usize> = (1..=self.days).chain([self.features()]).chain(widths).collect();
        places.sort_unstable();
        places.dedup();
        graph.0.initializer.extend(places.into_iter().map(|at| place(&format!("place_{at}"), at)));
        let [first, second] = &self.cells;
        let gates = GATES * first.units;
        let (of_day, of_beside) = first.inputs.weights.split_at(gates);
        let beside = graph.slice("features", [self.days, self.features()], "beside");
        graph.0.initializer.push(tensor("weights_day", [1, gates], of_day));
        let common = Sums { weights: of_beside.to_vec(), bias: first.inputs.bias.clone() };
        let common = graph.sums(&beside, &common, "beside_sums");
        let days: Vec<String> = (0..self.days)
            .map(|day| {
                let number = graph.slice("features", [day, day + 1], &format!("day_{day}"));
                let weighed = graph.node("MatMul", &[&number, "weights_day"], &format!("day_{day}_weighed"));
                graph.node("Add", &[&weighed, &common], &format!("first_{day}_inputs"))
            })
            .collect();
        let said = graph.cell(first, &days, "first");
        let days: Vec<String> =
            said.iter().enumerate().map(|(day, said)| graph.shared_sums(said, &second.inputs, day, "second")).collect();
        let said = graph.cell(second, &days, "second");
        let last = said.last().map_or("features", String::as_str);
        let dense = graph.sums(last, &self.dense, "dense");
        let dense = graph.node("Relu", &[&dense], "rectified");
        graph.sums(&dense, &self.heads, "outputs");
        file(graph.0)
    }
}

/// A graph that grows.
struct Graph(GraphProto);

impl Graph {
    fn node(&mut self, operation: &str, inputs: &[&str], output: &str) -> String {
        self.0.node.push(node(operation, inputs, output));
        output.to_owned()
    }

    fn slice(&mut self, row: &str, [first, end]: [usize; 2], output: &str) -> String {
        let [first, end] = [first, end].map(|at| format!("place_{at}"));
        self.node("Slice", &[row, &first, &end, "axis"], output)
    }

    fn constants(&mut self, sums: &Sums, name: &str) -> [String; 2] {
        let outputs = sums.bias.len();
        let names = ["weights", "bias"].map(|what| format!("{what}_{name}"));
        self.0.initializer.push(tensor(&names[0], [sums.weights.len() / outputs, outputs], &sums.weights));
        self.0.initializer.push(tensor(&names[1], [1, outputs], &sums.bias));
        names
    }

    fn sums(&mut self, row: &str, sums: &Sums, output: &str) -> String {
        let [weights, bias] = self.constants(sums, output);
        let weighed = self.node("MatMul", &[row, &weights], &format!("{output}_weighed"));
        self.node("Add", &[&weighed, &bias], output)
    }

    /// Sums of each day with the same constants.
    fn shared_sums(&mut self, row: &str, sums: &Sums, day: usize, name: &str) -> String {
        let constants = format!("{name}_inputs");
        if day == 0 {
            self.constants(sums, &constants);
        }
        let [weights, bias] = ["weights", "bias"].map(|what| format!("{what}_{constants}"));
        let weighed = self.node("MatMul", &[row, &weights], &format!("{name}_{day}_weighed"));
        self.node("Add", &[&weighed, &bias], &format!("{name}_{day}_inputs"))
    }

    /// An LSTM layer over what comes in each day; what it says each day.
    fn cell(&mut self, cell: &Cell, days: &[String], name: &str) -> Vec<String> {
        let (units, hidden) = (cell.units, format!("weights_{name}_hidden"));
        if days.len() > 1 {
            self.0.initializer.push(tensor(&hidden, [units, GATES * units], &cell.hidden));
        }
        let mut state: Option<[String; 2]> = None;
        let mut said = Vec::with_capacity(days.len());
        for (day, inputs) in days.iter().enumerate() {
            let own = |what: &str| format!("{name}_{day}_{what}");
            let sums = match &state {
                Some([before, _]) => {
                    let recalled = self.node("MatMul", &[before, &hidden], &own("recalled"));
                    self.node("Add", &[inputs, &recalled], &own("sums"))
                }
                None => inputs.clone(),
            };
            let [input, forget, candidate, output] = std::array::from_fn(|gate| {
                let sum = self.slice(&sums, [gate * units, (gate + 1) * units], &own(&format!("sum_{gate}")));
                (sum, own(&format!("gate_{gate}")), FUNCTIONS[gate])
            });
            let mut open = |(sum, gate, function): (String, String, &str)| self.node(function, &[&sum], &gate);
            let [input, candidate, output] = [input, candidate, output].map(&mut open);
            // The first day has nothing to forget.
            let forget = state.is_some().then(|| open(forget));
            let mut memory = self.node("Mul", &[&input, &candidate], &own("learnt"));
            if let (Some([_, before]), Some(forget)) = (&state, forget) {
                let kept = self.node("Mul", &[&forget, before], &own("kept"));
                memory = self.node("Add", &[&memory, &kept], &own("memory"));
            }
            let shown = self.node("Tanh", &[&memory], &own("shown"));
            let hidden = self.node("Mul", &[&output, &shown], &own("said"));
            said.push(hidden.clone());
            state = Some([hidden, memory]);
        }
        said
    }
}
