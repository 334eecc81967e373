#!/usr/bin/env python3
"""How good and how fast are the patterns of `tantei logs`?

    tests/bench/logs.py quality [FOLDER]      eight systems, per system and mean, text and raw lines
    tests/bench/logs.py speed [FOLDER]        a million shuffled raw lines, against logdrain and Drain3

FOLDER holds `*.jsonl[.zst]` with `line`, `content` and the corrected truth (default: ../shared/data/logs beside the
project). Nothing of it is copied into the project. The peers are installed into a temporary folder. TANTEI names the
binary (default: target/release/tantei, or below CARGO_TARGET_DIR).

GA: share of lines whose group is exactly a true group. FGA: F1 over groups. FTA: F1 over groups whose template, with
every variable written `<*>`, is that of the truth too. Groups are true templates' (`event_corrected`); where two
events have one template text the figures by text are shown as well.
"""
import collections, json, os, random, re, resource, subprocess, sys, tempfile, time
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
TARGET = Path(os.environ.get("CARGO_TARGET_DIR", ROOT / "target"))
TANTEI = os.environ.get("TANTEI", str(TARGET / "release" / "tantei"))
KINDS = re.compile(r"<(?:\*|num|hex|ip|mac|uuid|time|duration|size|percent|path|url|host|email|id|list|word)>")


def systems(folder):
    for path in sorted(folder.glob("*.jsonl*")):
        raw = subprocess.run(["zstd", "-dc", path], check=True, capture_output=True).stdout if path.suffix == ".zst" else path.read_bytes()
        yield path.name.split(".")[0], [json.loads(line) for line in raw.splitlines()]


def mine(texts, content):
    with tempfile.NamedTemporaryFile("w", suffix=".log", errors="surrogateescape") as f:
        f.write("".join(t.replace("\n", " ") + "\n" for t in texts))
        f.flush()
        flags = ["--content"] if content else []
        lines = subprocess.run([TANTEI, "logs", f.name, "--lines", *flags], check=True, capture_output=True).stdout
        document = subprocess.run([TANTEI, "logs", f.name, "--json", *flags], check=True, capture_output=True).stdout
    templates = {p["id"]: p["template"] for p in json.loads(document)["patterns"]}
    found = [json.loads(line)["pattern"] for line in lines.splitlines()]
    assert len(found) == len(texts), (len(found), len(texts))
    return found, templates


def normal(template):
    return " ".join(KINDS.sub("<*>", template).split())


def score(found, truth, templates, texts):
    groups, true = collections.defaultdict(set), collections.defaultdict(set)
    for i, (f, t) in enumerate(zip(found, truth)):
        groups[f].add(i)
        true[t].add(i)
    known = {frozenset(v): t for t, v in true.items()}
    right = {f: known[frozenset(v)] for f, v in groups.items() if frozenset(v) in known}
    text = dict(zip(truth, texts))
    exact = [f for f, t in right.items() if normal(templates.get(f, "")) == normal(text[t])]
    f1 = lambda n: 2 * n / (len(groups) + len(true))
    return sum(len(groups[f]) for f in right) / len(found), f1(len(right)), f1(len(exact)), right, exact


def quality(folder, show):
    sums = collections.defaultdict(list)
    print(f"{'system':<12} {'content: GA':>12} {'FGA':>6} {'FTA':>6}   {'by text: GA':>11} {'FGA':>6} {'FTA':>6}   {'raw: GA':>8} {'FGA':>6}")
    for name, rows in systems(folder):
        if show and name not in show:
            continue
        event = [r["event_corrected"] for r in rows]
        text = [r["template_corrected"] for r in rows]
        found, templates = mine([r["content"] for r in rows], True)
        a = score(found, event, templates, text)
        b = score(found, text, templates, text)
        raw, raw_templates = mine([r["line"] for r in rows], False)
        c = score(raw, event, raw_templates, text)
        row = [*a[:3], *b[:3], *c[:2]]
        print(f"{name:<12} {row[0]:>12.3f} {row[1]:>6.3f} {row[2]:>6.3f}   {row[3]:>11.3f} {row[4]:>6.3f} {row[5]:>6.3f}   {row[6]:>8.3f} {row[7]:>6.3f}")
        for k, v in enumerate(row):
            sums[k].append(v)
        if show:
            explain(found, event, templates, text, a)
            print("-- raw")
            explain(raw, event, raw_templates, text, c)
    m = [sum(v) / len(v) for v in sums.values()]
    print(f"{'mean':<12} {m[0]:>12.3f} {m[1]:>6.3f} {m[2]:>6.3f}   {m[3]:>11.3f} {m[4]:>6.3f} {m[5]:>6.3f}   {m[6]:>8.3f} {m[7]:>6.3f}")


def explain(found, truth, templates, texts, result):
    _, _, _, right, exact = result
    pairs = collections.Counter(zip(found, truth))
    text = dict(zip(truth, texts))
    done = set(right.values())
    for t in sorted(set(truth) - done, key=lambda t: -truth.count(t)):
        print(f"  truth {truth.count(t)}: {text[t][:140]}")
        for (f, t2), n in pairs.most_common():
            if t2 == t:
                print(f"      {n}/{found.count(f)}: {templates.get(f, '')[:140]}")
    for f, t in right.items():
        if f not in exact:
            print(f"  text  {found.count(f)}: {normal(text[t])[:140]}\n        {normal(templates.get(f, ''))[:140]}")


def speed(folder):
    with tempfile.TemporaryDirectory() as place:
        place = Path(place)
        # In a process of its own: the peak memory of a child counts what its parent had.
        subprocess.run([sys.executable, __file__, "generate", folder, place / "lines.log"], check=True)
        measure("tantei", [TANTEI, "logs", str(place / "lines.log"), "--json"], place)
        measure("logdrain", logdrain(place), place)
        measure("drain3", drain3(place), place)


def generate(folder, path):
    rows = [r["line"].replace("\n", " ") + "\n" for _, rows in systems(folder) for r in rows]
    random.seed(7)
    # Streams do not repeat their identifiers: behind the header long numbers are drawn anew.
    draw = lambda m: m[0][0] + "".join(random.choices("0123456789", k=len(m[0]) - 1))
    with path.open("w", errors="surrogateescape") as out:
        for _ in range(1_000_000):
            row = random.choice(rows)
            out.write(row[:40] + re.sub(r"\d{4,}", draw, row[40:]))


def measure(name, command, place):
    if command is None:
        print(f"{name}: NOT TESTED")
        return
    with open(place / "out", "wb") as out:
        child = subprocess.Popen(["taskset", "-c", "0", *command], stdout=out)
        _, status, usage = os.wait4(child.pid, 0)
    assert status == 0, name
    cpu = usage.ru_utime + usage.ru_stime
    text = (place / "out").read_bytes()
    count = len(json.loads(text)["patterns"]) if name == "tantei" else int(text.split()[-1])
    n = int(os.environ.get("DRAIN3_LINES", 1_000_000)) if name == "drain3" else 1_000_000
    print(f"{name:<10} {n / cpu:>10.0f} lines/CPU-s  {usage.ru_maxrss / 1024:>6.0f} MB  {count} patterns")


def logdrain(place):
    """A program around the crate, built for speed."""
    crate = place / "peer"
    (crate / "src").mkdir(parents=True)
    (crate / "Cargo.toml").write_text('[package]\nname = "peer"\nversion = "0.1.0"\nedition = "2021"\n[workspace]\n[dependencies]\nlogdrain = "0.3"\n')
    (crate / "src/main.rs").write_text(LOGDRAIN)
    build = subprocess.run(["cargo", "build", "--release", "--target-dir", place / "t"], cwd=crate, capture_output=True, text=True)
    if build.returncode:
        print(build.stderr[-1500:], file=sys.stderr)
        return None
    return [str(place / "t/release/peer"), str(place / "lines.log")]


LOGDRAIN = """
use std::io::BufRead;
fn main() {
    let path = std::env::args().nth(1).unwrap();
    let drain = logdrain::Miner::from_options(logdrain::Options::default());
    let file = std::io::BufReader::new(std::fs::File::open(path).unwrap());
    for line in file.lines() { drain.add(&line.unwrap()); }
    println!("{}", drain.len());
}
"""


def drain3(place):
    subprocess.run([sys.executable, "-m", "venv", place / "venv"], check=True)
    if subprocess.run([place / "venv/bin/pip", "-q", "install", "drain3"]).returncode:
        return None
    n = int(os.environ.get("DRAIN3_LINES", 1_000_000))
    (place / "peer.py").write_text(
        "import sys, logging\nfrom drain3 import TemplateMiner\nm = TemplateMiner()\n"
        f"for i, l in enumerate(open(sys.argv[1], errors='replace')):\n    if i == {n}: break\n    m.add_log_message(l.rstrip())\n"
        "print(len(m.drain.clusters))\n"
    )
    return [str(place / "venv/bin/python"), str(place / "peer.py"), str(place / "lines.log")]


if __name__ == "__main__":
    what = sys.argv[1] if len(sys.argv) > 1 else ""
    rest = sys.argv[2:]
    folder = Path(rest.pop(0)) if rest and Path(rest[0]).is_dir() else ROOT.parent / "shared/data/logs"
    if what == "generate":
        sys.exit(generate(folder, Path(rest[0])))
    if what not in ("quality", "speed"):
        sys.exit(__doc__)
    if not folder.is_dir():
        sys.exit(f"NOT TESTED: `{folder}` is absent")
    quality(folder, rest) if what == "quality" else speed(folder)
