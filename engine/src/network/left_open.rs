//! What a network's file leaves open: sizes of the input, the duration of a time step.

/// Shapes of a sample, in the order of the file, to open a network with.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct InputSizes {
    /// The first that the network can be opened with is used; empty if the file states all sizes.
    pub shapes: Vec<Vec<usize>>,
    /// The sizes in the file, and the data that the shapes are from; `None` if the user states the shape.
    pub assumed: Option<(String, String)>,
}

/// The time step of a NIR file with neurons, and where it is from.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct TimeStep {
    /// Duration of a step, in the unit of time of the file.
    pub dt: f64,
    pub source: StepSource,
    /// The smallest and the largest finite r of the neurons; `None` if there is none.
    pub rates: Option<[f32; 2]>,
}

/// Where the duration of a time step is from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum StepSource {
    /// The user states it.
    User,
    /// The metadata of the file state it.
    File,
    /// r = 1 of every neuron, for which packages mean dt = 1.
    Unit,
    /// r of every neuron is read as 1/dt, as SpikingJelly writes it.
    Inverse,
    /// Neither: dt = 1 is assumed.
    Assumed,
}

impl TimeStep {
    /// The factor `dt·r` from input to potential, rounded once.
    pub fn gain(self, r: f32) -> f32 {
        (f64::from(r) * self.dt) as f32
    }

    /// What is to be known about it, in a sentence; `None` where dt = 1 goes without saying.
    pub fn note(self) -> Option<String> {
        let [min, max] = self.rates?;
        let r = if min == max { format!("r = {min}") } else { format!("r is {min} to {max}") };
        let dt = self.dt;
        match self.source {
            StepSource::Unit => None,
            StepSource::User => {
                Some(format!("dt = {dt} is stated by the user: a neuron's input counts r·dt times ({r} in the file)"))
            }
            StepSource::File => {
                Some(format!("dt = {dt} is stated in the file: a neuron's input counts r·dt times ({r} in the file)"))
            }
            StepSource::Inverse => Some(format!(
                "{r} is read as 1/dt, dt = {dt} s, the convention of SpikingJelly. With dt = 1 the input of every neuron \
                 would be {min} times as large. State dt if that is meant"
            )),
            StepSource::Assumed => Some(format!(
                "{r}, and the file does not state dt: dt = 1 is assumed. If r is 1/dt or a rate per second, state dt"
            )),
        }
    }
}
