//! The builder of a graph: operations and constants, whose names contain that of their layer.

use super::proto::{
    AttributeProto, Dimension, GraphProto, NodeProto, TensorProto, TensorShapeProto, TypeProto, TypeProtoTensor,
    ValueInfoProto, data_type,
};

/// Name of the batch size, which is dynamic.
pub const BATCH: &str = "n";

/// The name of a value in the graph.
pub type Value = String;

/// Operations, constants, inputs and outputs so far.
#[derive(Debug, Default)]
pub struct Graph {
    graph: GraphProto,
    /// Prefix of names: the current layer.
    place: String,
}

impl Graph {
    /// An empty graph of this name.
    pub fn new(name: &str) -> Self {
        Self { graph: GraphProto { name: name.into(), ..GraphProto::default() }, place: name.into() }
    }

    /// Begins a layer: the following names have this prefix.
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

    /// A constant tensor.
    pub fn floats(&mut self, name: &str, shape: &[usize], values: &[f32]) -> Value {
        self.constant(name, data_type::FLOAT, shape, values.iter().flat_map(|v| v.to_le_bytes()).collect())
    }

    /// A scalar constant.
    pub fn float(&mut self, name: &str, value: f32) -> Value {
        self.floats(name, &[], &[value])
    }

    /// A constant vector of integers.
    pub fn ints(&mut self, name: &str, values: &[i64]) -> Value {
        self.constant(name, data_type::INT64, &[values.len()], values.iter().flat_map(|v| v.to_le_bytes()).collect())
    }

    /// A scalar integer constant.
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

    /// `x` with another shape: 0 keeps a length, -1 is inferred.
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

    /// Makes `value` the output `name`: `shape` without the batch.
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

    /// The finished graph.
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
