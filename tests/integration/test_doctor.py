# SPDX-License-Identifier: Apache-2.0
"""weir doctor on this machine and on false ones, the profiles, and the scripts for network cards."""
import csv
import io
import json
import os
import re
import stat

from machine import Machine
from weir import ENV, ROOT, Skip, equal

STATUSES = ["ok", "warning", "error"]
CONFIG = ROOT / "dpdk-config"
MANAGEMENT, PORT = "0000:01:00.0", "0000:81:00.0"


def machine(bench):
    """One that is ready: eth0 is the management's, the other card is bound."""
    m = Machine(bench.path("machine"))
    m.card(MANAGEMENT, "8086:1521", "igb", "eth0", node=0, group=1)
    m.card(PORT, "8086:10fb", "vfio-pci", node=1, group=2)
    m.route("eth0")
    m.route("eth0", "000200C0")
    return m


def doctor(t, *args, status=None):
    r = t.run([t.program("cli/weir"), "doctor", "-o", "json", *args], check=False)
    assert r.returncode in (0, 1), r.stderr
    answer = json.loads(r.stdout)
    equal("exit status", r.returncode, int(answer["status"] == "error"))
    assert status is None or r.returncode == status, r.stdout
    return answer


def found(answer, check):
    return [c for c in answer["checks"] if c["check"] == check]


def settings(t, text, name="weir.yaml"):
    path = t.path(name)
    path.write_text(text)
    return path


def checks_of_help(bench):
    text = bench.run([bench.program("cli/weir"), "doctor", "--help"]).stdout
    return set(re.findall(r"^  (\w+) +\S", text.split("It looks at:")[1], re.M))


def the_doctor_tells_of_this_machine(t):
    answer = doctor(t)
    checks = answer["checks"]
    equal("checks", {c["check"] for c in checks}, checks_of_help(t))
    assert all(c["status"] in STATUSES and c["reason"] for c in checks), checks
    assert all(bool(c["mend"]) == (c["status"] != "ok") for c in checks), checks
    ranks = [STATUSES.index(c["status"]) for c in checks]
    equal("errors first", ranks, sorted(ranks, reverse=True))
    equal("status of all", answer["status"], STATUSES[max(ranks)])
    for nic in answer["nics"]:
        assert re.fullmatch(r"[0-9a-f]{4}:[0-9a-f]{2}:[0-9a-f]{2}\.[0-7]", nic["bdf"]), nic
        assert os.path.exists(f"/sys/bus/pci/devices/{nic['bdf']}"), nic


def tables_and_csv_have_the_same_findings(t):
    weir = [t.program("cli/weir"), "doctor", "--sysroot", machine(t).root, "-o"]
    checks = json.loads(t.run([*weir, "json"]).stdout)["checks"]
    rows = list(csv.DictReader(io.StringIO(t.run([*weir, "csv"]).stdout)))
    equal("rows", [(r["check"], r["reason"]) for r in rows], [(c["check"], c["reason"]) for c in checks])
    table = t.run([*weir, "table"]).stdout
    for c in checks:
        assert c["reason"] in table and all(m in table for m in c["mend"]), c


def a_machine_that_is_ready_has_no_error(t):
    m = machine(t)
    config = settings(t, f'sensor: {{ports: ["{PORT}"], queues: 2}}\n')
    answer = doctor(t, "-c", config, "--sysroot", m.root, status=0)
    bad = [c for c in answer["checks"] if c["status"] != "ok" and c["check"] not in ("disk", "clock")]
    equal("findings", bad, [])
    nics = {n["bdf"]: n for n in answer["nics"]}
    equal("cards", sorted(nics), [MANAGEMENT, PORT])
    equal("its use", nics[MANAGEMENT]["use"], "eth0: 2 routes")
    equal("for DPDK", (nics[MANAGEMENT]["recommended"], nics[PORT]["recommended"]), (None, "vfio-pci"))


def each_thing_that_is_missing_is_an_error_with_its_command(t):
    def without(change, check, mend):
        m = Machine(t.path(check + mend.replace("/", "_")[:20]))
        m.card(MANAGEMENT, "8086:1521", "igb", "eth0", node=0, group=1)
        m.card(PORT, "8086:10fb", "vfio-pci", node=1, group=2)
        m.route("eth0")
        change(m)
        errors = [c for c in found(doctor(t, "-c", config, "--sysroot", m.root, status=1), check) if c["status"] == "error"]
        assert any(mend in command for c in errors for command in c["mend"]), (check, errors)

    config = settings(t, f'sensor: {{ports: ["{PORT}"], queues: 2}}\n')
    without(lambda m: m.hugepages(0, 0), "hugepages", "echo 68 > /sys/kernel/mm/hugepages/hugepages-2048kB/nr_hugepages")
    without(lambda m: m.card(PORT, "8086:10fb", "ixgbe", "eth2", group=2), "nic", f"driverctl set-override {PORT} vfio-pci")
    without(lambda m: m.card(PORT, "15b3:1017", "vfio-pci", group=2), "nic", "modprobe mlx5_core")
    without(lambda m: m.remove(f"sys/bus/pci/devices/{PORT}"), "nic", "lspci -Dnn")
    without(lambda m: m.remove("sys/kernel/iommu_groups"), "iommu", "intel_iommu=on iommu=pt")
    without(lambda m: m.card("0000:81:00.1", "8086:10fb", "ixgbe", "eth3", group=2), "iommu_group", "driverctl set-override 0000:81:00.1")
    without(lambda m: m.remove("sys/bus/pci/drivers/vfio-pci"), "vfio", "modprobe vfio-pci")
    without(lambda m: m.file("proc/cpuinfo", "flags : sse2\n"), "cpu_flags", "-cpu host")
    without(lambda m: m.file("proc/meminfo", "MemAvailable: 100 kB\n"), "memory", "sensor.flows")


def an_interface_with_routes_is_never_told_to_be_bound(t):
    m = machine(t)
    config = settings(t, f'sensor: {{ports: ["{MANAGEMENT}"]}}\n')
    (nic,) = found(doctor(t, "-c", config, "--sysroot", m.root, status=1), "nic")
    assert "in use by the system" in nic["reason"], nic
    assert not any("driverctl" in command for command in nic["mend"]), nic


def bad_settings_and_words_end_as_elsewhere(t):
    weir = [t.program("cli/weir"), "doctor"]
    config = settings(t, "sensor:\n  no_such_key: 1\n")
    r = t.run([*weir, "-c", config], check=False)
    equal("bad settings", r.returncode, 78)
    assert f"{config}:2:" in r.stderr and not r.stdout, r.stderr
    equal("unknown option", t.run([*weir, "--no-such-option"], check=False).returncode, 2)
    equal("unknown format", t.run([*weir, "-o", "xml"], check=False).returncode, 2)


def a_sensor_that_cannot_start_says_the_doctors_words(t):
    r = t.run([t.program("sensor/weir-sensor"), "--vdev", "net_af_packet0,iface=none7"], check=False)
    assert r.returncode not in (0, 2), r.returncode
    assert "vdev: vdev 'net_af_packet0,iface=none7': there is no interface 'none7'" in r.stderr, r.stderr
    assert "mend: # interfaces there are:" in r.stderr, r.stderr


def profiles():
    return sorted((CONFIG / "profiles").glob("*.yaml"))


def every_profile_passes_the_check(t):
    names = {"igb", "ixgbe", "i40e", "ice", "mlx5", "af_xdp", "af_packet", "memif"}
    equal("profiles", {p.stem for p in profiles()}, names)
    for p in profiles():
        r = t.run([t.program("sensor/weir-sensor"), "-c", p, "--check-config"])
        assert "settings are valid" in r.stderr, p


def profiles_ask_for_the_hugepages_the_doctor_wants(t):
    m = machine(t)
    m.hugepages(0, 0)
    for p in profiles():
        reason = found(doctor(t, "-c", p, "--sysroot", m.root), "hugepages")[0]["reason"]
        need = int(re.search(r"(\d+) needed", reason)[1])
        for mib in re.findall(r"hugepages\.sh setup --mib (\d+)", p.read_text()):
            equal(f"MiB of {p.stem}", int(mib), need)


def the_readme_of_profiles_lists_their_keys_and_no_others(t):
    used = {key for p in profiles() for key in re.findall(r"^  (\w+):", p.read_text(), re.M)}
    listed = set(re.findall(r"^\| `sensor\.(\w+)`", (CONFIG / "README.md").read_text(), re.M))
    equal("keys", listed, used)


def script(t, m, *args, tools=(), status=0):
    """A script on a false machine; `tools` are the commands there are besides the usual ones."""
    path, log = t.path("tools"), t.path("tools.log")
    path.mkdir(exist_ok=True)
    for old in path.iterdir():
        old.unlink()
    for name in ["bash", "sh", "env", "basename", "dirname", "readlink", "sed", "awk", "cat", "wc", "grep", "paste", "mkdir", "id", "rm"]:
        (path / name).symlink_to(t.peer(name))
    for name in tools:
        (path / name).write_text(f'#!/bin/sh\necho "{name} $*" >>{log}\n')
        (path / name).chmod(stat.S_IRWXU)
    log.write_text("")
    env = dict(ENV, PATH=str(path))
    r = t.run([CONFIG / args[0], *args[1:], "--sysroot", m.root], check=False, env=env)
    equal(f"{args}: {r.stderr}", r.returncode, status)
    return r.stdout.splitlines(), log.read_text().splitlines(), r.stderr


def scripts_change_nothing_unless_told_to(t):
    m = machine(t)
    m.card("0000:82:00.0", "8086:10fb", "ixgbe", "eth2", group=3)
    before, tools = m.state(), ["driverctl", "modprobe", "update-grub"]
    for args in [
        ("hugepages.sh", "setup", "--mib", "416"),
        ("hugepages.sh", "persist", "--mib", "416"),
        ("hugepages.sh", "persist", "--pages", "4", "--size", "1G"),
        ("hugepages.sh", "persist", "--pages", "4", "--node", "1"),
        ("bind.sh", "bind", "eth2"),
        ("bind.sh", "unbind", PORT),
    ]:
        printed, ran, words = script(t, m, *args, tools=tools)
        assert printed and "nothing was changed" in words, (args, printed, words)
        equal(f"{args}: commands that ran", ran, [])
        equal(f"{args}: the machine", m.state(), before)


def hugepages_are_shown_made_and_kept(t):
    m = machine(t)
    pool = "sys/kernel/mm/hugepages/hugepages-2048kB/nr_hugepages"
    shown, _, _ = script(t, m, "hugepages.sh", "show")
    equal("pools", [line.split() for line in shown[1:]], [["machine", "2048kB", "1024", "1024"], ["node0", "2048kB", "512", "512"], ["node1", "2048kB", "512", "512"]])
    printed, _, _ = script(t, m, "hugepages.sh", "setup", "--mib", "417", "--apply")
    equal("commands", printed, [f"echo 209 > /{pool}"])
    equal("pages", m.path(pool).read_text(), "209\n")
    script(t, m, "hugepages.sh", "setup", "--pages", "7", "--node", "1", "--apply")
    equal("pages of the node", m.path("sys/devices/system/node/node1/hugepages/hugepages-2048kB/nr_hugepages").read_text(), "7\n")
    script(t, m, "hugepages.sh", "persist", "--mib", "416", "--apply")
    equal("sysctl", m.path("etc/sysctl.d/60-weir-hugepages.conf").read_text(), "vm.nr_hugepages = 208\n")
    script(t, m, "hugepages.sh", "persist", "--pages", "7", "--node", "1", "--apply")
    line = "w /sys/devices/system/node/node1/hugepages/hugepages-2048kB/nr_hugepages - - - - 7\n"
    equal("tmpfiles", m.path("etc/tmpfiles.d/weir-hugepages-node1.conf").read_text(), line)
    _, ran, words = script(t, m, "hugepages.sh", "persist", "--pages", "2", "--size", "1G", "--apply", tools=["update-grub"])
    assert "hugepagesz=1G hugepages=2" in m.path("etc/default/grub.d/weir-hugepages.cfg").read_text()
    equal("grub", ran, ["update-grub "])
    assert "next start" in words, words
    script(t, m, "hugepages.sh", "setup", "--pages", "2", "--size", "1G", status=69)


def scripts_refuse_what_makes_no_sense(t):
    m = machine(t)
    for args in [
        ("hugepages.sh",),
        ("hugepages.sh", "setup"),
        ("hugepages.sh", "setup", "--mib", "x"),
        ("hugepages.sh", "setup", "--mib", "5", "--pages", "5"),
        ("hugepages.sh", "setup", "--mib", "5", "--size", "4K"),
        ("hugepages.sh", "setup", "persist", "--mib", "5"),
        ("bind.sh",),
        ("bind.sh", "bind"),
        ("bind.sh", "bind", "eth0", "--what"),
    ]:
        script(t, m, *args, status=2)
    for card in ["0000:99:00.0", "eth9", "../../etc"]:
        script(t, m, "bind.sh", "bind", card, status=69)
    for name in ["hugepages.sh", "bind.sh"]:
        text = t.run([CONFIG / name, "--help"]).stdout
        assert f"{name} " in text and "--apply" in text, text


def an_interface_in_use_is_bound_only_by_force(t):
    m = machine(t)
    before = m.state()
    for card in ["eth0", MANAGEMENT]:
        printed, ran, words = script(t, m, "bind.sh", "bind", card, "--apply", tools=["driverctl"], status=1)
        assert "refused, the system uses it: eth0 has 2 route(s)" in words, words
        equal("commands", (printed, ran), ([], []))
    equal("the machine", m.state(), before)
    _, ran, words = script(t, m, "bind.sh", "bind", "eth0", "--force", "--apply", tools=["driverctl"])
    equal("by force", ran, [f"driverctl set-override {MANAGEMENT} vfio-pci"])
    assert "forced, although the system uses it" in words, words


def a_card_of_another_name_space_is_refused(t):
    m = machine(t)
    m.card("0000:82:00.0", "8086:10fb", "ixgbe", group=3)
    _, _, words = script(t, m, "bind.sh", "bind", "0000:82:00.0", tools=["driverctl"], status=1)
    assert "its interface is not to be seen" in words, words


def a_bond_above_protects_its_members(t):
    m = machine(t)
    m.card("0000:82:00.0", "8086:10fb", "ixgbe", "eth2", group=3)
    m.interface("bond0")
    m.link("sys/class/net/eth2/upper_bond0", "../bond0")
    _, _, words = script(t, m, "bind.sh", "bind", "eth2", tools=["driverctl"], status=1)
    assert "eth2 is part of bond0" in words, words
    (nic,) = found(doctor(t, "-c", settings(t, 'sensor: {ports: ["0000:82:00.0"]}\n'), "--sysroot", m.root), "nic")
    assert "eth2 is part of bond0" in nic["reason"] and nic["status"] == "error", nic


def cards_are_bound_by_what_is_installed(t):
    m = machine(t)
    card = "0000:82:00.0"
    m.card(card, "8086:10fb", "ixgbe", "eth2", group=3)
    _, ran, _ = script(t, m, "bind.sh", "bind", "eth2", "--apply", tools=["driverctl", "dpdk-devbind.py", "modprobe"])
    equal("driverctl", ran, [f"driverctl set-override {card} vfio-pci"])
    _, ran, _ = script(t, m, "bind.sh", "bind", card, "--apply", tools=["dpdk-devbind.py", "modprobe"])
    equal("dpdk-devbind.py", ran, ["modprobe vfio-pci", f"dpdk-devbind.py -b vfio-pci {card}"])
    _, ran, words = script(t, m, "bind.sh", "bind", card, "--apply", tools=["modprobe"])
    equal("by hand", ran, ["modprobe vfio-pci"])
    assert "apt-get install driverctl" in words, words
    equal("override", m.path(f"sys/bus/pci/devices/{card}/driver_override").read_text(), "vfio-pci\n")
    equal("unbound", m.path(f"sys/bus/pci/devices/{card}/driver/unbind").read_text(), f"{card}\n")
    equal("probed", m.path("sys/bus/pci/drivers_probe").read_text(), f"{card}\n")
    _, ran, _ = script(t, m, "bind.sh", "unbind", PORT, "--apply", tools=["driverctl"])
    equal("back", ran, [f"driverctl unset-override {PORT}"])
    script(t, m, "bind.sh", "unbind", PORT, "--apply")
    equal("back by hand", m.path(f"sys/bus/pci/devices/{PORT}/driver_override").read_text(), "\n")
    printed, _, words = script(t, m, "bind.sh", "bind", PORT)
    assert not printed and "has vfio-pci already" in words, (printed, words)


def nvidia_cards_keep_their_driver(t):
    m = machine(t)
    m.card("0000:82:00.0", "15b3:1017", "mlx5_core", "eth2", group=3)
    m.card("0000:83:00.0", "15b3:1007", "mlx4_core", "eth1", group=4)
    for card, driver in (("eth2", "mlx5_core"), ("0000:83:00.0", "mlx4_core")):
        printed, ran, words = script(t, m, "bind.sh", "bind", card, "--apply", tools=["driverctl"])
        equal("commands", (printed, ran), ([], []))
        assert f"keeps its kernel driver ({driver})" in words, words
    shown, _, _ = script(t, m, "bind.sh", "status")
    rows = {line.split()[0]: line.split()[1:] for line in shown[1:]}
    equal("status", rows["0000:82:00.0"], ["15b3:1017", "mlx5_core", "eth2", "mlx5_core", "none"])
    equal("status", rows[PORT], ["8086:10fb", "vfio-pci", "-", "vfio-pci", "none"])
    equal("status", rows[MANAGEMENT][:4], ["8086:1521", "igb", "eth0", "-"])


def without_an_iommu_binding_must_be_asked_for(t):
    m = machine(t)
    m.card("0000:82:00.0", "8086:10fb", "ixgbe", "eth2")
    m.remove("sys/kernel/iommu_groups")
    _, _, words = script(t, m, "bind.sh", "bind", "eth2", tools=["driverctl", "modprobe"], status=69)
    assert "the IOMMU is off" in words, words
    _, ran, _ = script(t, m, "bind.sh", "bind", "eth2", "--noiommu", "--apply", tools=["driverctl", "modprobe"])
    equal("commands", ran, ["modprobe vfio-pci", "driverctl set-override 0000:82:00.0 vfio-pci"])
    equal("noiommu", m.path("sys/module/vfio/parameters/enable_unsafe_noiommu_mode").read_text(), "1\n")


def scripts_are_clean_for_shellcheck(t):
    t.run([t.peer("shellcheck"), "-x", *sorted(CONFIG.glob("*.sh"))], cwd=ROOT)


VETH = """
set -e
mount -t sysfs sys /sys
ip link set lo up
ip link add eth0 type veth peer name far0 numrxqueues 1 numtxqueues 1
ip link set eth0 up; ip link set far0 up
ip addr add 192.0.2.1/24 dev far0; ip neigh add 192.0.2.2 lladdr 02:00:00:00:00:02 dev far0
exec python3 "$0.py" "$@"
"""

DRIVE = """
import os, signal, socket, subprocess, sys, time
n = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
n.bind(os.environ["NOTIFY_SOCKET"])
n.settimeout(0.2)
sensor = subprocess.Popen(sys.argv[1:])
ready = False
while not ready and sensor.poll() is None:
    try:
        ready = b"READY=1" in n.recv(4096)
    except TimeoutError:
        pass
s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
if "STAND" in os.environ:
    sensor.send_signal(signal.SIGSTOP)
for i in range(1000):
    s.sendto(bytes(100), ("192.0.2.2", 1000 + i % 50))
    time.sleep(0.0005)
time.sleep(2)
sensor.send_signal(signal.SIGCONT)
time.sleep(2)
if ready:
    sensor.send_signal(signal.SIGINT)
sys.exit(sensor.wait())
"""


def hear(t, profile, *args, **env):
    """The profile's sensor on a veth in a name space of its own: its summary of 1000 datagrams."""
    if os.geteuid() != 0:
        raise Skip("not root")
    t.peer("ip")
    config = settings(t, (CONFIG / "profiles" / profile).read_text().replace("eth2", "eth0"), profile)
    network = settings(t, VETH, "veth")
    settings(t, DRIVE, "veth.py")
    sensor = [t.program("sensor/weir-sensor"), "-c", config, "--export", "udp:127.0.0.1:9", *args]
    env = dict(ENV, NOTIFY_SOCKET=str(t.path("notify")), **env)
    r = t.run([t.peer("unshare"), "--net", "--mount", "bash", network, *sensor], check=False, env=env)
    if "Operation not supported" in r.stderr or "not permitted" in r.stderr:
        raise Skip(f"{profile}: not in this kernel or container")
    equal(f"exit status, {r.stderr[-2000:]}", r.returncode, 0)
    return json.loads(re.search(r"\{.*\}", r.stderr)[0])


def a_sensor_hears_an_interface_by_af_packet(t):
    summary = hear(t, "af_packet.yaml")
    assert summary["packets"] >= 1000 and summary["flows"] >= 50, summary


def what_the_kernel_drops_before_af_packet_is_counted(t):
    small = ["--vdev", "net_af_packet0,iface=eth0,framecnt=256"]
    summary = hear(t, "af_packet.yaml", *small, STAND="yes")
    assert summary["packets"] >= 1000, summary
    assert summary["dropped"]["port_missed"] >= 700, summary


def a_sensor_hears_an_interface_by_af_xdp(t):
    summary = hear(t, "af_xdp.yaml")
    assert summary["packets"] >= 1000 and summary["flows"] >= 50, summary
