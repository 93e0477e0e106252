//! Who a sensor is, tried with curl: others' names, others' segments, no certificate, another protocol; and a folder that
//! was copied.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::Value;

use super::calls::ask;
use super::{HEARD, json};
use crate::clock::wait_for;
use crate::peers::SEIZED;
use crate::program::Program;
use crate::shell::{self, Kept};
use crate::tally::{Tally, holds};
use crate::{Done, Trouble};

/// The name in the core's certificate.
const CORE: &str = "core.bailiwick.internal";
/// SHA-256 of nothing.
const EMPTY: &str = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";

/// A sensor's certificate and key, as curl takes them.
struct Papers {
    certificate: PathBuf,
    key: PathBuf,
    authority: PathBuf,
    port: u16,
}

impl Papers {
    fn of(core: &Program, sensor: &Program, port: u16) -> Result<Self, Trouble> {
        let identity: Value = serde_json::from_str(&fs::read_to_string(sensor.path("keys/sensor.json"))?)?;
        let (certificate, key) = (sensor.path("cert.pem"), sensor.path("key.pem"));
        fs::write(&certificate, identity["certificate"].as_str().ok_or("no certificate")?)?;
        fs::write(&key, identity["key"].as_str().ok_or("no key")?)?;
        Ok(Self { certificate, key, authority: core.path("keys/sensor-authority.pem"), port })
    }

    /// The status of a PUT of this file.
    fn put(&self, key: &str, file: &Path, fields: &[String], shows: bool) -> Result<String, Trouble> {
        let mut curl = Command::new("curl");
        curl.args(["-sS", "-o", "/dev/null", "-w", "%{http_code}", "--max-time", "20", "-T"]).arg(file);
        curl.arg("--cacert").arg(&self.authority);
        curl.args(["--resolve", &format!("{CORE}:{}:127.0.0.1", self.port)]);
        if shows {
            curl.arg("--cert").arg(&self.certificate).arg("--key").arg(&self.key);
        }
        for field in fields {
            curl.args(["-H", field]);
        }
        curl.arg(format!("https://{CORE}:{}/v1/segments/{key}", self.port));
        shell::run(&mut curl)?.good()
    }
}

pub(super) fn judge(tally: &mut Tally, core: &Program, sensors: &[Program; 2], port: u16) -> Done {
    let papers = Papers::of(core, &sensors[0], port)?;
    let file = sensors[0].path("nothing");
    fs::write(&file, "")?;
    let fields = |protocol: &str, digest: &str| {
        vec![format!("bailiwick-protocol: {protocol}"), format!("bailiwick-digest: {digest}")]
    };
    let ours = fields("1", EMPTY);
    let key = |sensor: u32| format!("{sensor:08x}/00000009/0000/00000000");
    let mut says = |promise: &str, wanted: &str, said: Result<String, Trouble>| {
        let said = said.unwrap_or_else(|trouble| trouble.to_string());
        tally.check(promise, holds(said == wanted, || format!("curl was told {said} instead of {wanted}")));
    };
    says("without a certificate nothing is taken", "401", papers.put(&key(2), &file, &ours, false));
    says("another sensor's segment is refused", "403", papers.put(&key(3), &file, &ours, true));
    says("a sensor of another protocol is told so", "426", papers.put(&key(2), &file, &fields("9", EMPTY), true));
    says("a name that is none is refused", "400", papers.put("2/9/0/0", &file, &ours, true));
    says("its own is taken", "201", papers.put(&key(2), &file, &ours, true));
    says("and again", "200", papers.put(&key(2), &file, &ours, true));
    let other = sensors[0].path("something");
    fs::write(&other, "x")?;
    let digest = "2d711642b726b04401627ca9fbac32f5c8530fb1903cc4db02258717921a4881";
    says("another under the same name is refused", "409", papers.put(&key(2), &other, &fields("1", digest), true));
    let wrong = key(2).replace("00000000", "00000001");
    says("what is not what it says it is, is not taken", "422", papers.put(&wrong, &other, &ours, true));
    let told = json(core, &["sensor", "list", "--json"])?;
    let first = told["sensors"].as_array().and_then(|all| all.first()).cloned().unwrap_or_default();
    let counted = holds(first["received"]["contradictions"] == 1, || first.to_string());
    tally.check("the core says that something contradicts", counted);
    let doctor = core.ask(&["doctor"])?;
    tally.check("and so does its doctor", holds(doctor.out.contains("contradict"), || doctor.all()));
    Ok(())
}

/// A copy of a sensor's folder is started beside it: its contacts get other names, and nothing collides.
pub(super) fn copied(tally: &mut Tally, core: &Program, sensor: &mut Program) -> Done {
    sensor.stop()?;
    let copy = Program::sensor()?;
    for folder in ["data", "keys"] {
        shell::run(Command::new("cp").arg("-r").arg(sensor.path(folder)).arg(copy.path(folder)))?.good()?;
    }
    copy.configure_also("[uplink]\nsegment_secs = 1\npoll_secs = 1\n")?;
    sensor.start()?;
    let boot = |program: &Program| -> Result<u32, Trouble> {
        Ok(fs::read_to_string(program.path("data/boot"))?.trim().parse()?)
    };
    let _running =
        Kept(copy.serve().stdin(std::process::Stdio::null()).stderr(fs::File::create(copy.path("log"))?).spawn()?);
    let arrives = |number: u8, from: &Program| {
        let name = format!("copy{number}.{SEIZED}");
        wait_for("an answer", HEARD, || ask(from.dns(), &name, number).ok().flatten())?;
        core.count_reaches(&format!("SELECT least(count(*), 1) FROM contacts WHERE qname = '{name}'"), 1)
    };
    tally.check("the original's contacts arrive", arrives(5, sensor));
    tally.check("a copy's contacts arrive beside them", arrives(6, &copy));
    let (first, second) = (boot(sensor)?, boot(&copy)?);
    tally.check("it counts its boots elsewhere", holds(second >> 16 > first >> 16, || format!("{first} and {second}")));
    let told = json(core, &["sensor", "list", "--json"])?;
    let contradictions = &told["sensors"][0]["received"]["contradictions"];
    tally.check("and nothing contradicts", holds(*contradictions == 1, || told.to_string()));
    Ok(())
}
