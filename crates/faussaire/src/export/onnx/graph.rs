//! A graph in the making: operations and constants with names that say which layer they belong to.

use super::proto::{
    AttributeProto, Dimension, GraphProto, NodeProto, TensorProto, TensorShapeProto, TypeProto, TypeProtoTensor,
    ValueInfoProto, data_type,
};

/// The batch's size, which is open.
pub const BATCH: &str = "n";

/// The name of a value in the graph.
pub type Value = String;

/// Operations, constants, inputs and outputs so far.
#[derive(Debug, Default)]
pub struct Graph {
    graph: GraphProto,
    /// What names begin with: the layer at work.
    place: String,
}

impl Graph {
    /// An empty graph of this name.
    pub fn new(name: &str) -> Self {
        Self { graph: GraphProto { name: name.into(), ..GraphProto::default() }, place: name.into() }
    }

    /// Begins a layer: what follows is named after it.
    pub fn enter(&mut self, place: String) {
        self.place = place;
    }

    /// An operation with one output.
    pub fn node(&mut self, op: &str, inputs: &[&Value], attributes: Vec<AttributeProto>) -> Value {
        let name = format!("{}/{}{}", self.place, op, self.graph.node.len());
        self.graph.node.push(NodeProto {
            input: inputs.iter().map(|input| (*input).clone()).collect(),
            output: vec![name.clone()],
            name: name.clone(),
            op_type: op.into(),
            attribute: attributes,
            doc_string: String::new(),
        });
        name
    }

    /// Numbers that never change.
    pub fn floats(&mut self, name: &str, shape: &[usize], values: &[f32]) -> Value {
        self.constant(name, data_type::FLOAT, shape, values.iter().flat_map(|v| v.to_le_bytes()).collect())
    }

    /// One number.
    pub fn float(&mut self, name: &str, value: f32) -> Value {
        self.floats(name, &[], &[value])
    }

    /// Whole numbers.
    pub fn ints(&mut self, name: &str, values: &[i64]) -> Value {
        self.constant(name, data_type::INT64, &[values.len()], values.iter().flat_map(|v| v.to_le_bytes()).collect())
    }

    /// One whole number, without a dimension.
    pub fn int(&mut self, name: &str, value: i64) -> Value {
        self.constant(name, data_type::INT64, &[], value.to_le_bytes().to_vec())
    }

    fn constant(&mut self, name: &str, data_type: i32, shape: &[usize], raw: Vec<u8>) -> Value {
        let mut full = format!("{}/{name}", self.place);
        if self.graph.initializer.iter().any(|known| known.name == full) {
            full = format!("{full}{}", self.graph.initializer.len());
        }
        self.graph.initializer.push(TensorProto {
            dims: shape.iter().map(|size| *size as i64).collect(),
            data_type,
            name: full.clone(),
            raw_data: Some(raw),
        });
        full
    }

    /// `x` under another shape. 0 keeps a length, -1 is what is left.
    pub fn reshape(&mut self, x: &Value, shape: &[i64]) -> Value {
        let shape = self.ints("shape", shape);
        self.node("Reshape", &[x, &shape], Vec::new())
    }

    /// `x` with its axes in another order.
    pub fn transpose(&mut self, x: &Value, axes: [usize; 4]) -> Value {
        self.node("Transpose", &[x], vec![AttributeProto::ints("perm", axes)])
    }

    /// An input: `shape` without the batch.
    pub fn input(&mut self, name: &str, data_type: i32, shape: &[usize], about: &str) -> Value {
        self.graph.input.push(value_info(name, data_type, shape, about));
        name.into()
    }

    /// Lets `value` be the output `name`: `shape` without the batch.
    pub fn output(&mut self, value: &Value, name: &str, data_type: i32, shape: &[usize], about: &str) {
        self.graph.node.push(NodeProto {
            input: vec![value.clone()],
            output: vec![name.into()],
            name: format!("{}/{name}", self.place),
            op_type: "Identity".into(),
            ..NodeProto::default()
        });
        self.graph.output.push(value_info(name, data_type, shape, about));
    }

    /// The graph as it goes into the file.
    pub fn finish(self) -> GraphProto {
        self.graph
    }
}

fn value_info(name: &str, elem_type: i32, shape: &[usize], about: &str) -> ValueInfoProto {
    let open = Dimension { dim_value: None, dim_param: Some(BATCH.into()) };
    let fixed = shape.iter().map(|size| Dimension { dim_value: Some(*size as i64), dim_param: None });
    let shape = TensorShapeProto { dim: std::iter::once(open).chain(fixed).collect() };
    ValueInfoProto {
        name: name.into(),
        r#type: Some(TypeProto { tensor_type: Some(TypeProtoTensor { elem_type, shape: Some(shape) }) }),
        doc_string: about.into(),
    }
}
