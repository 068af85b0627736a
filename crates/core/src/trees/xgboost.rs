//! Models that XGBoost 2 saved as JSON.

use serde::Deserialize;

use super::error::TreesError;
use super::{Ensemble, Forest, MAX_NODES, MAX_OUTPUTS, Node, Tree};

/// Objectives whose prediction is the sum itself.
const OBJECTIVES: [&str; 3] = ["reg:squarederror", "reg:absoluteerror", "reg:pseudohubererror"];
/// The major version whose files are read.
const VERSION: u32 = 2;

/// One model with one output.
#[derive(Debug, Clone, PartialEq)]
pub struct XgboostModel {
    /// Names of its columns, where the file has them.
    pub names: Vec<String>,
    /// How many columns a row has.
    pub columns: usize,
    /// Its trees.
    pub ensemble: Ensemble<f32, f32>,
}

/// One forest of several models, an output each.
///
/// # Errors
/// [`TreesError::TooLarge`], or [`TreesError::Unsupported`] where they do not take the same columns.
pub fn combined(models: Vec<XgboostModel>) -> Result<Forest, TreesError> {
    let Some(first) = models.first() else {
        return Err(TreesError::TooLarge { what: "files", found: 0, most: MAX_OUTPUTS });
    };
    let columns = first.columns;
    if let Some(other) = models.iter().find(|model| model.columns != columns || model.names != first.names) {
        let found = format!("{} {:?} beside {columns} {:?}", other.columns, other.names, first.names);
        return Err(TreesError::Unsupported { field: "columns", found, supported: "one set for all files" });
    }
    let forest = Forest { columns, outputs: models.into_iter().map(|model| model.ensemble).collect() };
    forest.check()?;
    Ok(forest)
}

impl XgboostModel {
    /// Reads a saved model.
    ///
    /// # Errors
    /// [`TreesError::NotXgboost`] for another file, [`TreesError::Unsupported`] for another kind of model,
    /// [`TreesError::Malformed`] or [`TreesError::TooLarge`] for trees that are none.
    pub fn parse(json: &[u8]) -> Result<Self, TreesError> {
        let file: File = serde_json::from_slice(json).map_err(|error| refused(json, &error))?;
        let File { version, learner } = file;
        let unsupported = |field, found: &str, supported| {
            Err(TreesError::Unsupported { field, found: found.chars().take(60).collect(), supported })
        };
        if version.first() != Some(&VERSION) {
            return unsupported("version", &format!("{version:?}"), "XGBoost 2");
        }
        let Learner { feature_names, gradient_booster: booster, param, objective } = learner;
        if booster.name != "gbtree" {
            return unsupported("gradient_booster", &booster.name, "gbtree");
        }
        if !OBJECTIVES.contains(&objective.name.as_str()) {
            return unsupported("objective", &objective.name, "an objective without a link, as reg:squarederror,");
        }
        if !["0", "1"].contains(&param.num_class.as_str()) {
            return unsupported("num_class", &param.num_class, "0");
        }
        if param.num_target != "1" {
            return unsupported("num_target", &param.num_target, "1");
        }
        let number =
            |field: &'static str, text: &str| TreesError::NotXgboost { reason: format!("{field} is {text:?}") };
        let columns = param.num_feature.parse::<usize>().map_err(|_| number("num_feature", &param.num_feature))?;
        let base = param.base_score.parse::<f32>().map_err(|_| number("base_score", &param.base_score))?;
        if !feature_names.is_empty() && feature_names.len() != columns {
            let found = format!("{} for {columns} columns", feature_names.len());
            return unsupported("feature_names", &found, "one name a column");
        }
        let SavedTrees { trees } = booster.model;
        let nodes: usize = trees.iter().map(|tree| tree.left_children.len()).sum();
        if trees.is_empty() || nodes > MAX_NODES {
            return Err(TreesError::TooLarge { what: "nodes", found: nodes, most: MAX_NODES });
        }
        let trees = trees.iter().map(|tree| tree.converted(columns)).collect::<Result<_, _>>()?;
        Ok(Self { names: feature_names, columns, ensemble: Ensemble { base, trees } })
    }
}

/// Why a text is not read: XGBoost writes numbers that are none by words that JSON does not have.
fn refused(json: &[u8], error: &serde_json::Error) -> TreesError {
    let has = |word: &[u8]| json.windows(word.len()).any(|window| window == word);
    match [&b"NaN"[..], b"Infinity"].into_iter().find(|word| has(word)) {
        Some(word) => TreesError::Unsupported {
            field: "split_conditions",
            found: String::from_utf8_lossy(word).into_owned(),
            supported: "finite numbers",
        },
        None => TreesError::NotXgboost { reason: error.to_string() },
    }
}

#[derive(Deserialize)]
struct File {
    version: Vec<u32>,
    learner: Learner,
}

#[derive(Deserialize)]
struct Learner {
    #[serde(default)]
    feature_names: Vec<String>,
    gradient_booster: Booster,
    #[serde(rename = "learner_model_param")]
    param: LearnerParam,
    objective: Objective,
}

#[derive(Deserialize)]
struct Booster {
    name: String,
    model: SavedTrees,
}

#[derive(Deserialize)]
struct SavedTrees {
    trees: Vec<SavedTree>,
}

#[derive(Deserialize)]
struct LearnerParam {
    base_score: String,
    num_class: String,
    num_feature: String,
    num_target: String,
}

#[derive(Deserialize)]
struct Objective {
    name: String,
}

/// A tree as XGBoost saves it: one entry a node in each list. Nodes that pruning left behind are in no way.
#[derive(Deserialize)]
struct SavedTree {
    left_children: Vec<i64>,
    right_children: Vec<i64>,
    split_indices: Vec<usize>,
    split_conditions: Vec<f32>,
    split_type: Vec<u8>,
    #[serde(default)]
    categories_nodes: Vec<i64>,
    tree_param: TreeParam,
}

#[derive(Deserialize)]
struct TreeParam {
    #[serde(default)]
    size_leaf_vector: String,
}

impl SavedTree {
    fn converted(&self, columns: usize) -> Result<Tree<f32, f32>, TreesError> {
        let nodes = self.left_children.len();
        let malformed = |reason: String| TreesError::Malformed { reason };
        let lists =
            [self.right_children.len(), self.split_indices.len(), self.split_conditions.len(), self.split_type.len()];
        if lists.iter().any(|list| *list != nodes) {
            return Err(malformed(format!("{nodes} nodes, and lists of {lists:?}")));
        }
        let is_categorical = self.split_type.iter().any(|kind| *kind != 0) || !self.categories_nodes.is_empty();
        if is_categorical {
            let found = "categorical".into();
            return Err(TreesError::Unsupported { field: "split_type", found, supported: "numerical" });
        }
        if !["", "0", "1"].contains(&self.tree_param.size_leaf_vector.as_str()) {
            let found = self.tree_param.size_leaf_vector.chars().take(20).collect();
            return Err(TreesError::Unsupported { field: "size_leaf_vector", found, supported: "1" });
        }
        // Numbered anew in the order in which they are reached; each number is given once, so the walk ends.
        let mut order = vec![0];
        let mut is_reached = vec![false; nodes];
        let mut converted = Vec::with_capacity(nodes);
        while let Some(&saved) = order.get(converted.len()) {
            if is_reached.get(saved).copied().unwrap_or(true) {
                return Err(malformed(format!("a way leads to node {saved} of {nodes} twice, or out of the tree")));
            }
            is_reached[saved] = true;
            let value = self.split_conditions[saved];
            converted.push(match (self.left_children[saved], self.right_children[saved]) {
                (-1, -1) => Node::Leaf(value),
                (left, right) => {
                    let child = |index: i64| {
                        usize::try_from(index).map_err(|_| malformed(format!("node {saved} leads to {index}")))
                    };
                    let below = order.len();
                    order.extend([child(left)?, child(right)?]);
                    Node::Split { column: self.split_indices[saved], threshold: value, below, otherwise: below + 1 }
                }
            });
        }
        Tree::new(converted, columns)
    }
}
