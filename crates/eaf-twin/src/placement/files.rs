//! Readers of the benchmark's files: nodes, pods, orders, and the published results.
//!
//! What: the files of "openb" as the benchmark uses them: no times, nodes and pods by name, the orders of arrival and of
//! ties as indices into those. A list of pods may have five columns or more; orders may be plain or gzipped. Why the whole
//! file is judged before a pod is placed: an index that points nowhere is a wrong file and not a wrong run.
//! Absent: guesses. What does not fit is an error with its line and column.

use super::fgd::Typical;
use crate::trace::{CellProblem, Column, Row, Rows, Table, TraceError};
use eaf_sched::policy::node::{GPUS_MAX, WHOLE};
use eaf_sched::policy::{Node, Shape};
use std::collections::BTreeMap;
use std::io::{BufRead, BufReader, Read};

/// Models that a fleet may have: a shape's models are bits of a word.
const MODELS_MAX: usize = 32;
/// More orders of one trace than anybody keeps.
const SEEDS_MAX: usize = 1_000_000;
/// The share of pods that the typical ones are to cover.
const TYPICAL_SHARE: f64 = 0.95;

/// Nodes by name, and their models.
#[derive(Clone, Debug)]
pub struct Machines {
    /// By name.
    pub nodes: Vec<Node>,
    /// The models, by name; a node's model is an index.
    pub models: Vec<String>,
}

impl Machines {
    /// Milli-GPU over all nodes.
    pub fn capacity(&self) -> u64 {
        self.nodes.iter().map(|node| u64::from(node.free_total())).sum()
    }
}

/// A list of pods: its shapes, the shape of each pod, and the typical ones.
#[derive(Clone, Debug)]
pub struct Pods {
    /// Distinct shapes.
    pub shapes: Vec<Shape>,
    /// The shape of each pod, pods by name.
    pub pods: Vec<usize>,
    /// The mix that FGD is given.
    pub typical: Vec<Typical>,
}

/// The orders of one run.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Order {
    /// The seed that they were drawn from.
    pub seed: u64,
    /// Pods in order of arrival, as indices into the pods by name.
    pub arrivals: Vec<usize>,
    /// Nodes, the one that wins a tie first, as indices into the nodes by name.
    pub nodes: Vec<usize>,
}

/// The share that was allocated at every load, by (trace, policy, seed).
pub type Published = BTreeMap<(String, String, u64), Vec<f64>>;

fn twice(lines: &mut BTreeMap<String, u64>, row: &Row<'_>, name: Column) -> Result<String, TraceError> {
    let text = row.name(name)?.to_owned();
    match lines.insert(text.clone(), row.line) {
        Some(first) => Err(TraceError::NameTwice { line: row.line, first, name: text }),
        None => Ok(text),
    }
}

/// The nodes of a file, by name.
///
/// # Errors
/// Where the file is not a list of nodes with accelerators; the place is named.
pub fn machines(source: impl Read) -> Result<Machines, TraceError> {
    let mut table = Table::open(source)?;
    let [name, cpu, memory, gpu, model] =
        ["sn", "cpu_milli", "memory_mib", "gpu", "model"].map(|name| table.column(name));
    let (name, cpu, memory, gpu, model) = (name?, cpu?, memory?, gpu?, model?);
    let (mut lines, mut kinds) = (BTreeMap::new(), BTreeMap::new());
    let mut rows: Vec<(String, Node, String)> = Vec::new();
    while let Some(row) = table.next()? {
        let sn = twice(&mut lines, &row, name)?;
        let gpus = row.whole(gpu, GPUS_MAX as u64)?;
        let kind = if gpus > 0 { row.name(model)? } else { row.text(model)? }.to_owned();
        kinds.insert(kind.clone(), 0_u8);
        if kinds.len() > MODELS_MAX {
            let expected = "one of 32 models; a fleet has no more";
            return Err(row.wrong(model, CellProblem::NotAllowed { expected }));
        }
        let mut free = [0; GPUS_MAX];
        free.iter_mut().zip(0..gpus).for_each(|(free, _)| *free = WHOLE);
        let (cpu, memory) = (small(&row, cpu)?, u64::from(small(&row, memory)?));
        let gpus = u8::try_from(gpus).unwrap_or(0);
        rows.push((sn, Node { cpu, memory, free, gpus, model: 0, pods: 0, classes: 0 }, kind));
    }
    if rows.is_empty() {
        return Err(TraceError::NoRows);
    }
    rows.sort_by(|a, b| a.0.cmp(&b.0));
    kinds.values_mut().zip(0..).for_each(|(index, nth)| *index = nth);
    let nodes = rows.into_iter().map(|(_, node, kind)| Node { model: kinds[&kind], ..node }).collect();
    let machines = Machines { nodes, models: kinds.into_keys().collect() };
    if machines.capacity() == 0 { Err(TraceError::NoAccelerators) } else { Ok(machines) }
}

fn small(row: &Row<'_>, column: Column) -> Result<u32, TraceError> {
    let number = row.whole(column, u64::from(u32::MAX))?;
    Ok(u32::try_from(number).unwrap_or(u32::MAX))
}

/// The pods of a file, by name; models that the fleet does not have fit nowhere.
///
/// # Errors
/// Where the file is not a list of pods; the place is named.
pub fn pods(source: impl Read, models: &[String]) -> Result<Pods, TraceError> {
    let mut table = Table::open(source)?;
    let [name, cpu, memory, count, share] =
        ["name", "cpu_milli", "memory_mib", "num_gpu", "gpu_milli"].map(|name| table.column(name));
    let (name, cpu, memory, count, share) = (name?, cpu?, memory?, count?, share?);
    let spec = if table.has("gpu_spec") { Some(table.column("gpu_spec")?) } else { None };
    let mut lines = BTreeMap::new();
    let mut rows: Vec<(String, Shape, String)> = Vec::new();
    while let Some(row) = table.next()? {
        let name = twice(&mut lines, &row, name)?;
        let gpus = u8::try_from(row.whole(count, u64::from(u8::MAX))?).unwrap_or(u8::MAX);
        let milli = row.whole(share, u64::from(WHOLE))?;
        if (gpus == 1 && milli == 0) || (gpus > 1 && milli != u64::from(WHOLE)) {
            let expected = "1 to 1000 for one accelerator, and 1000 for several";
            return Err(row.wrong(share, CellProblem::NotAllowed { expected }));
        }
        let spec = spec.map_or(Ok(""), |spec| row.text(spec))?.to_owned();
        let milli = if gpus == 0 { 0 } else { u16::try_from(milli).unwrap_or(WHOLE) };
        let (cpu, memory) = (small(&row, cpu)?, u64::from(small(&row, memory)?));
        rows.push((name, Shape { cpu, milli, gpus, models: allowed(&spec, models), memory }, spec));
    }
    if rows.is_empty() {
        return Err(TraceError::NoRows);
    }
    rows.sort_by(|a, b| a.0.cmp(&b.0));
    let mut shapes: Vec<Shape> = rows.iter().map(|row| row.1).collect();
    shapes.sort_unstable();
    shapes.dedup();
    let ids = rows.iter().filter_map(|row| shapes.binary_search(&row.1).ok()).collect();
    Ok(Pods { pods: ids, typical: typical(&rows), shapes })
}

/// The models of a cell, a bit each; all of them where it is empty.
fn allowed(spec: &str, models: &[String]) -> u32 {
    let bit = |name: &str| models.iter().position(|model| model == name).map_or(0, |at| 1_u32 << at);
    if spec.is_empty() { u32::MAX } else { spec.split('|').map(bit).fold(0, |all, bit| all | bit) }
}

/// The most frequent pods, memory aside, until they cover the share; ties as the artefact breaks them.
fn typical(rows: &[(String, Shape, String)]) -> Vec<Typical> {
    let mut groups: BTreeMap<(u32, u16, u8, &str), (u32, Shape)> = BTreeMap::new();
    for (_, shape, spec) in rows {
        let key = (shape.cpu, shape.milli, shape.gpus, spec.as_str());
        groups.entry(key).or_insert((0, Shape { memory: 0, ..*shape })).0 += 1;
    }
    let mut sorted: Vec<_> = groups.into_iter().collect();
    sorted.sort_by(|a, b| (b.1.0, b.0).cmp(&(a.1.0, a.0)));
    let (mut mix, mut covered) = (Vec::new(), 0);
    for (_, (count, shape)) in sorted {
        if f64::from(covered) >= TYPICAL_SHARE * rows.len() as f64 {
            break;
        }
        covered += count;
        mix.push(Typical { shape, count });
    }
    mix
}

/// Which orders are wanted, and what they must fit.
#[derive(Clone, Copy, Debug)]
pub struct Wanted<'a> {
    /// The name of the trace.
    pub trace: &'a str,
    /// One seed, or all of them.
    pub seed: Option<u64>,
    /// How many pods the trace has.
    pub pods: usize,
    /// How many nodes the fleet has.
    pub nodes: usize,
}

/// The orders of one trace, by seed. A line is a trace, a seed, the arrivals and the nodes, with tabs between them and
/// spaces between indices; the first line may be a comment.
///
/// # Errors
/// Where the file does not fit the pods or the nodes, or has no such trace or seed; the place is named.
pub fn orders(source: impl Read, wanted: &Wanted<'_>) -> Result<Vec<Order>, TraceError> {
    let mut source = BufReader::new(source);
    let zipped = source.fill_buf().map_err(TraceError::Read)?.starts_with(&[0x1f, 0x8b]);
    if zipped {
        lines_of(BufReader::new(flate2::bufread::MultiGzDecoder::new(source)), wanted)
    } else {
        lines_of(source, wanted)
    }
}

fn lines_of(mut source: impl BufRead, wanted: &Wanted<'_>) -> Result<Vec<Order>, TraceError> {
    let (mut found, mut others) = (BTreeMap::new(), Vec::<String>::new());
    let (mut bytes, mut line, mut seeds) = (Vec::new(), 0, Vec::new());
    loop {
        bytes.clear();
        if source.read_until(b'\n', &mut bytes).map_err(TraceError::Read)? == 0 {
            break;
        }
        line += 1;
        let text = text_of(&bytes, line)?;
        if text.is_empty() || text.starts_with('#') {
            continue;
        }
        let fields: Vec<&str> = text.split('\t').collect();
        let [trace, seed, arrivals, nodes] = fields[..] else {
            return Err(TraceError::Width { line, found: fields.len() as u64, expected: 4 });
        };
        if trace != wanted.trace {
            if !others.iter().any(|other| other == trace) && others.len() < 20 {
                others.push(trace.to_owned());
            }
            continue;
        }
        let place = |column, name| Place { line, column, name };
        let seed: u64 = seed.parse().map_err(|_| place(2, "seed").wrong(seed, CellProblem::NotANumber))?;
        seeds.push(seed);
        if wanted.seed.is_some_and(|one| one != seed) {
            continue;
        }
        let arrivals = indices(arrivals, place(3, "arrivals"), wanted.pods)?;
        let nodes = permutation(indices(nodes, place(4, "nodes"), wanted.nodes)?, place(4, "nodes"), wanted.nodes)?;
        if found.insert(seed, Order { seed, arrivals, nodes }).is_some() || found.len() > SEEDS_MAX {
            return Err(TraceError::SeedTwice { line, trace: trace.to_owned(), seed });
        }
    }
    match (found.is_empty(), wanted.seed) {
        (false, _) => Ok(found.into_values().collect()),
        (true, _) if line == 0 => Err(TraceError::Empty),
        (true, Some(seed)) if !seeds.is_empty() => {
            let found = seeds.iter().take(20).map(u64::to_string).collect::<Vec<_>>().join(", ");
            Err(TraceError::NoSeed { trace: wanted.trace.to_owned(), seed, found })
        }
        (true, _) => Err(TraceError::NoTrace { trace: wanted.trace.to_owned(), found: others.join(", ") }),
    }
}

/// A line without its end.
fn text_of(bytes: &[u8], line: u64) -> Result<&str, TraceError> {
    let text = std::str::from_utf8(bytes).map_err(|error| {
        let column = bytes[..error.valid_up_to()].split(|byte| *byte == b'\t').count();
        TraceError::Encoding { line, column }
    })?;
    Ok(text.trim_end_matches(['\n', '\r']))
}

/// Where a field of an order stands.
#[derive(Clone, Copy)]
struct Place {
    line: u64,
    column: usize,
    name: &'static str,
}

impl Place {
    fn wrong(self, value: &str, problem: CellProblem) -> TraceError {
        let value = value.chars().take(80).collect();
        TraceError::Cell { line: self.line, column: self.column, name: self.name, value, problem }
    }
}

fn indices(field: &str, place: Place, below: usize) -> Result<Vec<usize>, TraceError> {
    let Place { line, column, name } = place;
    if field.trim().is_empty() {
        return Err(place.wrong(field, CellProblem::Empty));
    }
    let index = |(nth, word): (usize, &str)| {
        word.parse::<usize>().ok().filter(|index| *index < below).ok_or_else(|| {
            let value = word.chars().take(80).collect();
            TraceError::Index { line, column, name, entry: nth + 1, value, below }
        })
    };
    field.split(' ').filter(|word| !word.is_empty()).enumerate().map(index).collect()
}

/// Every node stands in its order once: one that stood there twice would be two nodes.
fn permutation(list: Vec<usize>, place: Place, len: usize) -> Result<Vec<usize>, TraceError> {
    let Place { line, column, name } = place;
    let mut seen = vec![false; len];
    for (nth, &index) in list.iter().enumerate() {
        if std::mem::replace(&mut seen[index], true) {
            return Err(TraceError::IndexTwice { line, column, name, entry: nth + 1, value: index });
        }
    }
    match seen.iter().position(|seen| !seen) {
        Some(value) => Err(TraceError::IndexMissing { line, column, name, value, found: list.len(), expected: len }),
        None => Ok(list),
    }
}

/// The name of a trace, from that of its file: `openb_pod_list_default.csv` is `default`.
pub fn trace_name(file_stem: &str) -> &str {
    let stem = file_stem.strip_suffix(".csv").unwrap_or(file_stem);
    stem.strip_prefix("openb_pod_list_").unwrap_or(stem)
}

/// The published results: `workload, sc_policy, tune, seed, total_gpus`, and a column for each load from 0 on.
///
/// # Errors
/// Where the file is no such table; the place is named.
pub fn published(source: impl Read) -> Result<Published, TraceError> {
    let mut rows = Rows::open(source)?;
    let (found, columns) = (rows.headings(), rows.columns());
    if columns < 6 {
        return Err(TraceError::MissingColumn { missing: "workload, sc_policy, tune, seed, total_gpus, 0", found });
    }
    let mut all = Published::new();
    while let Some((line, cells)) = rows.next()? {
        let place = |column: usize, name| Place { line, column, name };
        let number = |column: usize, name| {
            let text = &cells[column - 1];
            text.parse::<f64>().map_err(|_| place(column, name).wrong(text, CellProblem::NotANumber))
        };
        let seed = cells[3].parse().map_err(|_| place(4, "seed").wrong(&cells[3], CellProblem::NotANumber))?;
        let values = (6..=columns).map(|column| number(column, "a load")).collect::<Result<Vec<f64>, _>>()?;
        all.insert((trace_name(&cells[0]).to_owned(), cells[1].clone(), seed), values);
    }
    if all.is_empty() { Err(TraceError::NoRows) } else { Ok(all) }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NODES: &str = "sn,cpu_milli,memory_mib,gpu,model\nb,8000,100,2,T4\na,9000,100,8,P100\n";
    const PODS: &str = "name,cpu_milli,memory_mib,num_gpu,gpu_milli\nq,1000,0,1,500\np,2000,10,8,1000\n";

    fn wrong<T>(result: Result<T, TraceError>, expect: &str) {
        assert_eq!(result.map(|_| ()).expect_err(expect).to_string(), expect);
    }

    fn order(text: &str, seed: Option<u64>) -> Result<Vec<Order>, TraceError> {
        orders(text.as_bytes(), &Wanted { trace: "t", seed, pods: 2, nodes: 2 })
    }

    #[test]
    fn nodes_and_pods_are_read_by_name_and_with_five_columns() {
        let fleet = machines(NODES.as_bytes()).expect("nodes");
        assert_eq!(fleet.models, ["P100", "T4"]);
        assert_eq!(
            fleet.nodes.iter().map(|node| (node.cpu, node.gpus, node.model)).collect::<Vec<_>>(),
            [(9_000, 8, 0), (8_000, 2, 1)]
        );
        let pods = pods(PODS.as_bytes(), &fleet.models).expect("pods");
        let shapes: Vec<u32> = pods.pods.iter().map(|&id| pods.shapes[id].cpu).collect();
        assert_eq!((shapes, pods.typical.len()), (vec![2_000, 1_000], 2));
        assert_eq!(allowed("T4|V100", &fleet.models), 2);
        assert_eq!((trace_name("openb_pod_list_cpu100.csv"), trace_name("mine")), ("cpu100", "mine"));
    }

    #[test]
    fn lists_with_holes_are_refused_with_the_place() {
        let nodes = |rows: &str| machines(format!("sn,cpu_milli,memory_mib,gpu,model\n{rows}").as_bytes());
        wrong(nodes("a,,1,1,T4\n"), "line 2, column 2 (cpu_milli): \"\" is empty");
        wrong(nodes("a,1,1,9,T4\n"), "line 2, column 4 (gpu): \"9\" is too large");
        wrong(nodes("a,1,1,1,\n"), "line 2, column 5 (model): \"\" is empty");
        wrong(nodes("a,1,1,0,\n"), "the nodes have no accelerators");
        wrong(nodes("a,1,1,1,x\na,1,1,1,x\n"), "line 3: the name a stands on line 2 already");
        let pods = |rows: &str| pods(format!("name,cpu_milli,memory_mib,num_gpu,gpu_milli\n{rows}").as_bytes(), &[]);
        wrong(pods("a,1,1\n"), "line 2: there are 3 cells, and 5 columns");
        wrong(pods("a,1,1,1,\n"), "line 2, column 5 (gpu_milli): \"\" is empty");
        let share = "\"500\" is not 1 to 1000 for one accelerator, and 1000 for several";
        wrong(pods("a,1,1,2,500\n"), &format!("line 2, column 5 (gpu_milli): {share}"));
        wrong(pods("a,1,1,1,5\na,1,1,1,5\n"), "line 3: the name a stands on line 2 already");
    }

    #[test]
    fn orders_are_read_plain_and_gzipped() {
        let text = "# trace\tseed\tarrivals\tnodes\nt\t7\t1 0 1\t1 0\nu\t7\tx\ty\nt\t8\t0\t0 1\n";
        let plain = order(text, None).expect("orders");
        assert_eq!(plain[0], Order { seed: 7, arrivals: vec![1, 0, 1], nodes: vec![1, 0] });
        assert_eq!(order(text, Some(8)).expect("an order"), plain[1..]);
        let mut zipped = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
        std::io::Write::write_all(&mut zipped, text.as_bytes()).expect("memory");
        let zipped = zipped.finish().expect("memory");
        let wanted = Wanted { trace: "t", seed: None, pods: 2, nodes: 2 };
        assert_eq!(orders(&zipped[..], &wanted).expect("orders"), plain);
        assert!(matches!(orders(&zipped[..zipped.len() - 9], &wanted), Err(TraceError::Read(_))));
    }

    #[test]
    fn orders_that_do_not_fit_are_refused_with_the_place() {
        wrong(
            order("t\t7\t0 2\t0 1\n", None),
            "line 1, column 3 (arrivals): entry 2, \"2\", is no whole number below 2",
        );
        wrong(
            order("t\t7\t0 -1\t0 1\n", None),
            "line 1, column 3 (arrivals): entry 2, \"-1\", is no whole number below 2",
        );
        wrong(order("#\nt\t7\t0\t0 5\n", None), "line 2, column 4 (nodes): entry 2, \"5\", is no whole number below 2");
        wrong(order("t\t7\t0\t1 1\n", None), "line 1, column 4 (nodes): entry 2, 1, stands there already");
        wrong(order("t\t7\t0\t1\n", None), "line 1, column 4 (nodes): 0 is missing; there are 1 of 2");
        wrong(order("t\tx\t0\t1\n", None), "line 1, column 2 (seed): \"x\" is not a number");
        wrong(order("t\t7\t\t0 1\n", None), "line 1, column 3 (arrivals): \"\" is empty");
        wrong(order("t\t7\t0\n", None), "line 1: there are 3 cells, and 4 columns");
        wrong(order("t\t7\t0\t0 1\nt\t7\t0\t0 1\n", None), "line 2: t with seed 7 stands there already");
        wrong(order("u\t7\t0\t1\n", None), "there are no orders for the trace t; the file has: u");
        wrong(order("t\t7\t0\t0 1\n", Some(9)), "there is no order for t with seed 9; the file has: 7");
        wrong(
            orders(&b"t\t7\t\xff\t0"[..], &Wanted { trace: "t", seed: None, pods: 2, nodes: 2 }),
            "line 1, column 3: this is not UTF-8",
        );
    }
}
