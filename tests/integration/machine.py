# SPDX-License-Identifier: Apache-2.0
"""A false machine: the files of /sys and /proc by which the doctor and the scripts know one."""
import shutil

IPV6_ROUTE = "{dest} 40 00000000000000000000000000000000 00 {zero} 00000100 00000001 00000000 {flags} {name:>8}\n"
ZERO = "0" * 32


class Machine:
    """Two sockets, two NUMA nodes of four CPUs, 1 GiB of hugepages each, an IOMMU, no cards yet."""

    def __init__(self, root):
        self.root = root
        self.routes, self.groups = [], {}
        for node, cpus in ((0, "0-3"), (1, "4-7")):
            self.file(f"sys/devices/system/node/node{node}/cpulist", cpus)
            self.hugepages(512, 512, node)
        self.hugepages(1024, 1024)
        self.file("sys/devices/system/cpu/online", "0-7")
        self.file("sys/devices/system/cpu/isolated", "6-7")
        self.file("sys/devices/system/cpu/nohz_full", "6-7")
        self.file("proc/cpuinfo", "processor\t: 0\nvendor_id\t: GenuineIntel\nflags\t\t: fpu ssse3 sse4_2 avx2 avx512f\n")
        self.file("proc/meminfo", "MemTotal: 65536000 kB\nMemAvailable: 60000000 kB\nHugepagesize:       2048 kB\n")
        self.file("proc/self/status", "Name:\tweir\nCapEff:\t000001ffffffffff\nCpus_allowed_list:\t0-7\n")
        self.file("proc/self/limits", "Max open files            65536                65536                files     \n")
        self.file("proc/sys/net/core/rmem_max", "33554432")
        self.file("proc/mounts", "/dev/sda / ext4 rw 0 0\n")
        self.file("usr/sbin/driverctl", "")
        self.folder("sys/bus/pci/drivers/vfio-pci")
        self.folder("sys/kernel/iommu_groups")
        self.write_routes()

    def path(self, name):
        return self.root / name

    def folder(self, name):
        self.path(name).mkdir(parents=True, exist_ok=True)

    def file(self, name, text):
        self.path(name).parent.mkdir(parents=True, exist_ok=True)
        self.path(name).write_text(text if text.endswith("\n") or not text else text + "\n")

    def link(self, name, target):
        self.path(name).parent.mkdir(parents=True, exist_ok=True)
        self.path(name).unlink(missing_ok=True)
        self.path(name).symlink_to(target)

    def remove(self, name):
        shutil.rmtree(self.path(name)) if self.path(name).is_dir() else self.path(name).unlink()

    def hugepages(self, total, free, node=None, kib=2048):
        where = "sys/kernel/mm/hugepages" if node is None else f"sys/devices/system/node/node{node}/hugepages"
        self.file(f"{where}/hugepages-{kib}kB/nr_hugepages", str(total))
        self.file(f"{where}/hugepages-{kib}kB/free_hugepages", str(free))

    def card(self, bdf, ident, driver=None, netdev=None, node=1, group=None, state="up"):
        device = f"sys/bus/pci/devices/{bdf}"
        vendor, model = ident.split(":")
        self.file(f"{device}/vendor", f"0x{vendor}")
        self.file(f"{device}/device", f"0x{model}")
        self.file(f"{device}/class", "0x020000")
        self.file(f"{device}/numa_node", str(node))
        self.file(f"{device}/driver_override", "(null)")
        if driver:
            self.folder(f"sys/bus/pci/drivers/{driver}")
            self.link(f"{device}/driver", f"../../drivers/{driver}")
        if netdev:
            self.folder(f"{device}/net/{netdev}")
            self.interface(netdev, state)
        if group is not None:
            self.link(f"{device}/iommu_group", f"../../../../kernel/iommu_groups/{group}")
            self.link(f"sys/kernel/iommu_groups/{group}/devices/{bdf}", f"../../../../../bus/pci/devices/{bdf}")
        return self

    def interface(self, name, state="up"):
        self.file(f"sys/class/net/{name}/operstate", state)
        self.file(f"sys/class/net/{name}/flags", "0x1003" if state == "up" else "0x1002")
        self.file(f"sys/class/net/{name}/mtu", "1500")
        self.folder(f"sys/class/net/{name}/queues/rx-0")

    def route(self, name, dest="00000000"):
        self.routes.append((name, dest))
        self.write_routes()

    def write_routes(self):
        head = "Iface\tDestination\tGateway \tFlags\tRefCnt\tUse\tMetric\tMask\t\tMTU\tWindow\tIRTT\n"
        lines = [f"{n}\t{d}\t00000000\t0001\t0\t0\t0\t00000000\t0\t0\t0\n" for n, d in self.routes]
        self.file("proc/net/route", head + "".join(lines))
        up = "".join(  # what every interface has that is up
            IPV6_ROUTE.format(dest="fe80" + ZERO[4:], zero=ZERO, flags="00000001", name=n) for n in ("eth0", "eth1", "eth2")
        )
        self.file("proc/net/ipv6_route", up)
        self.file("proc/net/if_inet6", "".join(f"fe80{ZERO[4:]} 04 40 20 80 {n:>8}\n" for n in ("eth0", "eth1", "eth2")))

    def state(self):
        """All there is, to see whether anything was changed."""
        return {
            str(p.relative_to(self.root)): str(p.readlink()) if p.is_symlink() else p.read_text() if p.is_file() else None
            for p in sorted(self.root.rglob("*"))
        }
