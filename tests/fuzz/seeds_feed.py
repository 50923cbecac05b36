#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Writes the seeds of the feed target into corpus/feed, from what publishers say of their formats;
see seeds.py. The first byte leaves the format to the content, the second holds no option."""

import json
import pathlib

FOLDER = pathlib.Path(__file__).resolve().parent / "corpus" / "feed"
MISP = [
    {"type": "ip-dst|port", "category": "Network activity", "value": "45.83.31.50|80", "to_ids": True,
     "comment": "c", "first_seen": "2025-11-01T00:00:00.000000+00:00"},
    {"type": "domain|ip", "value": "bad.example|2a06:f680::1", "to_ids": True},
    {"type": "hostname", "value": "h.bad.example", "to_ids": False},
]
PATTERNS = [
    "[ipv4-addr:value = '45.83.31.50']",
    "[ipv6-addr:value IN ('2a06:f680::1', '2a06:f680::2') OR ipv4-addr:value ISSUBSET '45.83.32.0/24']",
    "([url:value = 'http://45.83.31.51/a'] OR [domain-name:value='it\\'s.example'])",
    "[network-traffic:dst_port = 443 AND EXISTS ipv4-addr:value] WITHIN 5 SECONDS",
    "[file:hashes.'SHA-256' = 'ff']",
]
STIX = [
    {"type": "indicator", "id": f"indicator--{i}", "pattern_type": "stix", "pattern": p,
     "valid_until": "2030-01-01T00:00:00Z", "confidence": 80, "labels": ["c2"], "revoked": i == 4}
    for i, p in enumerate(PATTERNS)
]
THREATFOX = (
    '# "first_seen_utc","ioc_id","ioc_value","ioc_type","threat_type","fk_malware","malware_alias",'
    '"malware_printable","last_seen_utc","confidence_level","is_compromised","reference","tags",'
    '"anonymous","reporter"\n"2025-11-24 09:31:02", "1", "45.83.31.50:80", "ip:port", "botnet_cc", '
    '"w", "None", "X ""y""", "None", "90", "True", "https://x.example", "a,b", "0", "r"\n')
SEEDS = {
    "plain": "# c\n1.10.16.0/20 ; SBL1\r\n2a06:f680::/29\n\n45.83.31.50:443\n[2a06::1]:53/udp\n"
             "port 4444/tcp\n*.bad.example\n=x.bad.example\nAS612 ; US\n0.0.0.0/0\nhttp://45.83.31.9/a\n",
    "firehol": "#\n# ipv4 hash:net ipset\n# Category        : attacks\n#\n0.0.0.0/8\n1.10.16.0/20\n",
    "hosts": "127.0.0.1\tbad.example\n0.0.0.0 other.example # x\n",
    "dshield": "Start\tEnd\tNetblock\n80.94.92.0\t80.94.92.255\t24\t7022\tN\tRO\ta@x.example\n",
    "drop": '{"cidr":"1.10.16.0/20","sblid":"SBL1","rir":"apnic"}\n{"type":"metadata","records":1}\n',
    "feodo": '# x\n"first_seen_utc","dst_ip","dst_port","c2_status","last_online","malware"\n'
             '"2025-01-14 18:08:02","50.16.16.211","443","offline","2025-11-24","QakBot"\n',
    "sslbl": "# Firstseen,DstIP,DstPort\n2025-11-24 08:04:37,62.60.226.80,4444\n",
    "urlhaus": "# id,dateadded,url,url_status,last_online,threat,tags,urlhaus_link,reporter\n"
               '"3","2025-11-24 09:36:15","http://u@59.182.90.60:49531/b","online","","m","a,b","","g"\n'
               '"4","2025-11-24 09:36:15","https://[2a06:f680::1]/","online","","m","","","g"\n',
    "threatfox": THREATFOX,
    "onefirewall": "IPv4,LiveScore,LastUpdate,IS_CDN\n45.83.31.50,812,2025-11-23,True\n",
    "lines": 'indicator,comment,type\n45.83.31.50,"two\nlines",ip\n45.83.31.51,"open,ip\n',
    "commas": "45.83.31.50,45.83.31.51, 2a06:f680::1,\n",
    "alienvault": "49.143.32.6#4#2#Malicious Host#KR##37.5,126.9#3\n",
    "iprep": "45.83.31.50,1,127\n2a06:f680::/29,2,64\n45.83.31.51,60,128\n",
    "zeek": "#fields\tindicator\tindicator_type\tmeta.desc\tmeta.whitelist\tmeta.remove\n"
            "45.83.31.50\tIntel::ADDR\td\tT\t\n45.83.31.5/a\tIntel::URL\t-\tF\tF\n",
    "own": '{"indicator":"45.83.31.50","type":"ip","port":443,"proto":"tcp","score":1e3,'
           '"severity":"high","valid_until":"2030-01-01"}\n{"port":53,"type":"port"}\n',
    "misp": json.dumps({"Event": {"Attribute": MISP, "Object": [{"Attribute": MISP}]}}),
    "misp_search": json.dumps({"response": [{"Event": {"Attribute": MISP}}]}),
    "warninglist": json.dumps({"type": "cidr", "list": ["8.8.8.8", "10.0.0.0/8"], "matching_attributes": []}),
    "otx": json.dumps({"results": [{"indicators": [
        {"indicator": "45.83.31.0/24", "type": "CIDR", "expiration": None, "is_active": 1}]}]}),
    "feodo_json": json.dumps([{"ip_address": "50.16.16.211", "port": 443, "malware": "X"}, "bad.example", 7]),
    "stix": json.dumps({"type": "bundle", "objects": STIX}),
}

if __name__ == "__main__":
    FOLDER.mkdir(parents=True, exist_ok=True)
    for name, text in SEEDS.items():
        (FOLDER / name).write_bytes(b"\0\0" + text.encode())
