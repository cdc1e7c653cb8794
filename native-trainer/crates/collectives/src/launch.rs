//! Which rank this process is, by the variables that launchers set.

use super::error::LaunchError;
use std::fmt::Display;
use std::str::FromStr;

/// Names of a run that no other run of the launcher has: of torchrun and of OpenMPI.
const JOBS: [&str; 2] = ["TORCHELASTIC_RUN_ID", "PMIX_NAMESPACE"];
/// PyTorch's default.
const DEFAULT_PORT: u16 = 29500;
const LOOPBACK: &str = "127.0.0.1";

/// A process that a launcher started as one of several ranks.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Launch {
    pub rank: usize,
    pub size: usize,
    /// The rank among those on this machine; decides the GPU.
    pub local_rank: usize,
    /// Ranks on this machine, where the launcher says so.
    pub local_size: Option<usize>,
    /// Whether `mpirun` started it.
    pub is_mpi: bool,
    /// The launcher's name for the run, where it has one.
    pub job: Option<String>,
    master: Option<Master>,
}

/// Where the ranks meet: the machine of rank 0 and a port.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Master {
    pub host: String,
    pub port: u16,
}

/// The names that one launcher gives its variables.
struct Names {
    rank: &'static str,
    size: &'static str,
    local_rank: &'static str,
    local_size: &'static str,
}

const TORCH: Names =
    Names { rank: "RANK", size: "WORLD_SIZE", local_rank: "LOCAL_RANK", local_size: "LOCAL_WORLD_SIZE" };
const OPEN_MPI: Names = Names {
    rank: "OMPI_COMM_WORLD_RANK",
    size: "OMPI_COMM_WORLD_SIZE",
    local_rank: "OMPI_COMM_WORLD_LOCAL_RANK",
    local_size: "OMPI_COMM_WORLD_LOCAL_SIZE",
};
/// Only `srun` sets the size of a step: a batch script is no rank, though it has a SLURM_PROCID.
const SLURM: Names = Names {
    rank: "SLURM_PROCID",
    size: "SLURM_STEP_NUM_TASKS",
    local_rank: "SLURM_LOCALID",
    local_size: "SLURM_STEP_TASKS_PER_NODE",
};

impl Launch {
    /// Reads the environment; `None` if no launcher started this process, or it is the only rank.
    ///
    /// # Errors
    /// When a variable has no meaning, or one is missing.
    pub fn from_environment() -> Result<Option<Self>, LaunchError> {
        Self::read(&|name| std::env::var(name).ok().filter(|value| !value.trim().is_empty()))
    }

    /// Returns where the ranks meet.
    ///
    /// # Errors
    /// When no variable says it and the ranks are on several machines.
    pub fn master(&self) -> Result<&Master, LaunchError> {
        self.master.as_ref().ok_or(LaunchError::NoAddress)
    }

    /// Returns whether all ranks are known to be on this machine.
    pub fn is_on_one_machine(&self) -> bool {
        self.local_size == Some(self.size)
    }

    fn read(variable: &dyn Fn(&str) -> Option<String>) -> Result<Option<Self>, LaunchError> {
        let Some(names) = [TORCH, OPEN_MPI, SLURM].into_iter().find(|names| variable(names.size).is_some()) else {
            return Ok(None);
        };
        let size = number::<usize>(variable, names.size)?.unwrap_or(1);
        if size == 0 {
            return Err(wrong(names.size, "0", "at least 1"));
        }
        if size == 1 {
            return Ok(None);
        }
        let missing =
            || LaunchError::Missing { name: names.rank.into(), beside: format!("{} = {size}", names.size) };
        let rank = number(variable, names.rank)?.ok_or_else(missing)?;
        if rank >= size {
            return Err(wrong(names.rank, rank, format!("less than {} = {size}", names.size)));
        }
        let local_size = match names.local_size == SLURM.local_size {
            true => variable(names.local_size).and_then(|tasks| tasks_of_one_node(&tasks)),
            false => number(variable, names.local_size)?,
        };
        let local_rank = number(variable, names.local_rank)?.unwrap_or(match local_size {
            Some(local_size) => rank % local_size.max(1),
            None => 0,
        });
        let is_mpi = names.size == OPEN_MPI.size;
        let is_local = local_size == Some(size);
        let job = JOBS.into_iter().find_map(variable);
        Ok(Some(Self { rank, size, local_rank, local_size, is_mpi, job, master: master(variable, is_local)? }))
    }
}

fn master(variable: &dyn Fn(&str) -> Option<String>, is_local: bool) -> Result<Option<Master>, LaunchError> {
    let mut port = number::<u16>(variable, "MASTER_PORT")?.unwrap_or(DEFAULT_PORT);
    // Then torchrun itself listens on MASTER_PORT.
    if variable("TORCHELASTIC_USE_AGENT_STORE").is_some_and(|value| value.eq_ignore_ascii_case("true")) {
        port = port.checked_add(1).ok_or_else(|| wrong("MASTER_PORT", port, "a port below 65535"))?;
    }
    let of_slurm = || variable(SLURM.size).and(variable("SLURM_STEP_NODELIST")).map(|nodes| first_node(&nodes));
    // On one machine, rank 0 listens at the loopback address alone, where torchrun's MASTER_ADDR may not lead: it can be
    // the machine's name.
    let host = if is_local { Some(LOOPBACK.into()) } else { variable("MASTER_ADDR").or_else(of_slurm) };
    Ok(host.map(|host| Master { host, port }))
}

fn number<T: FromStr>(variable: &dyn Fn(&str) -> Option<String>, name: &str) -> Result<Option<T>, LaunchError> {
    let parse = |value: String| value.trim().parse().map_err(|_| wrong(name, value, "a whole number"));
    variable(name).map(parse).transpose()
}

fn wrong(name: &str, value: impl Display, expected: impl Display) -> LaunchError {
    LaunchError::Value { name: name.into(), value: value.to_string(), expected: expected.to_string() }
}

/// The first machine of a list of Slurm's, such as `gpu[03-06,09],login1`.
fn first_node(nodes: &str) -> String {
    let Some((prefix, numbers)) = nodes.split_once('[') else {
        return nodes.split(',').next().unwrap_or(nodes).trim().into();
    };
    if let Some((first, _)) = prefix.split_once(',') {
        return first.trim().into();
    }
    let first = numbers.split([',', '-', ']']).next().unwrap_or_default();
    format!("{}{first}", prefix.trim())
}

/// The number in a list of Slurm's, such as `4(x2)`, if all machines have as many tasks.
fn tasks_of_one_node(tasks: &str) -> Option<usize> {
    let (n_tasks, _) = tasks.split_once('(').unwrap_or((tasks, ""));
    if tasks.contains(',') { None } else { n_tasks.trim().parse().ok() }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(variables: &[(&str, &str)]) -> Result<Option<Launch>, LaunchError> {
        Launch::read(&|name| variables.iter().find(|(key, _)| *key == name).map(|(_, value)| value.to_string()))
    }

    fn launch(variables: &[(&str, &str)]) -> Launch {
        read(variables).unwrap().unwrap()
    }

    #[test]
    fn without_a_launcher_there_is_one_rank() {
        assert_eq!(read(&[]), Ok(None));
        assert_eq!(read(&[("RANK", "3"), ("SLURM_PROCID", "0"), ("SLURM_NTASKS", "8")]), Ok(None));
        assert_eq!(read(&[("RANK", "0"), ("WORLD_SIZE", "1")]), Ok(None));
    }

    #[test]
    fn torchrun_mpirun_and_srun_say_which_rank_a_process_is() {
        let torch = [("RANK", "5"), ("WORLD_SIZE", "8"), ("LOCAL_RANK", "1"), ("LOCAL_WORLD_SIZE", "4")];
        let address = [("MASTER_ADDR", "node7"), ("MASTER_PORT", "1234")];
        let found = launch(&[&torch[..], &address[..]].concat());
        assert_eq!((found.rank, found.size, found.local_rank, found.is_on_one_machine()), (5, 8, 1, false));
        assert_eq!(found.master(), Ok(&Master { host: "node7".into(), port: 1234 }));
        assert_eq!(launch(&torch).master(), Err(LaunchError::NoAddress));
        let agent = [("TORCHELASTIC_USE_AGENT_STORE", "True"), ("TORCHELASTIC_RUN_ID", "one")];
        let found = launch(&[&torch[..], &address[..], &agent[..]].concat());
        assert_eq!((found.master().unwrap().port, found.job.as_deref()), (1235, Some("one")));
        let on_one_machine = [("RANK", "1"), ("WORLD_SIZE", "2"), ("LOCAL_RANK", "1"), ("LOCAL_WORLD_SIZE", "2")];
        let found = launch(&[&on_one_machine[..], &address[..]].concat());
        assert_eq!(found.master(), Ok(&Master { host: "127.0.0.1".into(), port: 1234 }));

        let mpi = [
            ("OMPI_COMM_WORLD_RANK", "1"),
            ("OMPI_COMM_WORLD_SIZE", "2"),
            ("OMPI_COMM_WORLD_LOCAL_RANK", "1"),
            ("OMPI_COMM_WORLD_LOCAL_SIZE", "2"),
        ];
        let found = launch(&mpi);
        assert!(found.is_mpi && found.is_on_one_machine());
        assert_eq!(found.master(), Ok(&Master { host: "127.0.0.1".into(), port: 29500 }));

        let slurm = [
            ("SLURM_PROCID", "6"),
            ("SLURM_STEP_NUM_TASKS", "8"),
            ("SLURM_LOCALID", "2"),
            ("SLURM_STEP_TASKS_PER_NODE", "4(x2)"),
            ("SLURM_STEP_NODELIST", "gpu[03-04]"),
        ];
        let found = launch(&slurm);
        assert_eq!((found.rank, found.local_rank, found.local_size), (6, 2, Some(4)));
        assert_eq!(found.master().unwrap().host, "gpu03");
    }

    #[test]
    fn the_first_machine_of_a_list_is_found() {
        for (nodes, first) in [("n1", "n1"), ("n1,n2", "n1"), ("gpu[07,09-11]", "gpu07"), ("a,b[1-2]", "a")] {
            assert_eq!(first_node(nodes), first);
        }
        assert_eq!((tasks_of_one_node("8"), tasks_of_one_node("4(x2),3")), (Some(8), None));
    }

    #[test]
    fn variables_that_make_no_sense_are_named() {
        let said = |variables: &[(&str, &str)]| read(variables).unwrap_err().to_string();
        assert!(said(&[("WORLD_SIZE", "4")]).contains("RANK is not set, but WORLD_SIZE = 4 is"));
        assert!(
            said(&[("WORLD_SIZE", "4"), ("RANK", "4")]).contains("RANK is \"4\", expected less than WORLD_SIZE")
        );
        assert!(said(&[("WORLD_SIZE", "two"), ("RANK", "0")]).contains("WORLD_SIZE is \"two\""));
        assert!(said(&[("WORLD_SIZE", "0")]).contains("at least 1"));
        assert!(said(&[("WORLD_SIZE", "2"), ("RANK", "0"), ("MASTER_PORT", "99999")]).contains("MASTER_PORT"));
    }
}
