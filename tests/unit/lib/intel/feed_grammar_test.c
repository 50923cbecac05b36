// SPDX-License-Identifier: Apache-2.0

// Feeds as their publishers write them, cut short: each is recognised, read to the values it lists,
// and its first indicator weighed and explained as the feed says.

#include "lib/intel/feed.h"
#include "tests/unit/cmocka.h"

#include <stdio.h>

#define NOW_NS 1764000000000000000ull // 2025-11-24

struct sample {
	const char *format, *text;
	const char *values; // canonical, apart by blanks, in the order of the feed
	const char
		*first; // of the first: score confidence first_seen category|description|reference
	unsigned rejected, unsupported, reserved, expired;
};

static const struct sample samples[] = {
	{.format = "plain", // Emerging Threats: addresses and networks, mixed
	 .text = "# \n# Emerging Threats fwrules rules.\n# Rules to block known hostile or "
		 "compromised hosts.\n\n#Spamhaus DROP Nets\n1.10.16.0/20\n1.19.0.0/16\n"
		 "#Feodo\n50.16.16.211\n2a0e:b107:f60::/48\n",
	 .values = "1.10.16.0/20 1.19.0.0/16 50.16.16.211 2a0e:b107:f60::/48",
	 .first = "700 75 0 ||"},
	{.format = "plain", // FireHOL
	 .text = "#\n# firehol_level1\n#\n# ipv4 hash:net ipset\n#\n# A firewall blacklist "
		 "composed "
		 "from IP lists\n#\n# Maintainer      : FireHOL\n# Maintainer URL  : "
		 "http://iplists.firehol.org/\n#\n# Source File Date: Mon Nov 24 00:00:00 UTC "
		 "2025\n"
		 "#\n# Category        : attacks\n# Version         : 1\n#\n# This File Date  : "
		 "Mon "
		 "Nov 24 00:10:00 UTC 2025\n# Update Frequency: 1 min\n# Aggregation     : none\n"
		 "# Entries         : 4 subnets\n#\n0.0.0.0/8\n1.10.16.0/20\n10.0.0.0/8\n"
		 "224.0.0.0/3\n",
	 .values = "1.10.16.0/20",
	 .first = "700 75 0 attacks||",
	 .rejected = 1, // 224.0.0.0/3
	 .reserved = 2},
	{.format = "plain", // Spamhaus DROP
	 .text = "; Spamhaus DROP List 2025/11/24 - (c) 2025 The Spamhaus Project SLU\n; "
		 "https://www.spamhaus.org/drop/drop.txt\n; Last-Modified: Mon, 24 Nov 2025 "
		 "02:15:20 GMT\n; Expires: Mon, 24 Nov 2025 23:20:45 GMT\r\n1.10.16.0/20 ; "
		 "SBL256894\r\n2.56.192.0/22 ; SBL459831\r\n",
	 .values = "1.10.16.0/20 2.56.192.0/22",
	 .first = "700 75 0 ||SBL256894"},
	{.format = "plain", // Spamhaus DROPv6
	 .text = "; Spamhaus DROPv6 List 2025/11/24\n2a06:f680::/29 ; SBL303641\n",
	 .values = "2a06:f680::/29",
	 .first = "700 75 0 ||SBL303641"},
	{.format = "plain", // Spamhaus ASN-DROP
	 .text = "; Spamhaus ASN-DROP List\nAS612 ; US | NAME, US\nAS999 ; RO | OTHER\n",
	 .values = "",
	 .unsupported = 2},
	{.format = "jsonl", // Spamhaus DROP as JSON
	 .text = "{\"cidr\":\"1.10.16.0/20\",\"sblid\":\"SBL256894\",\"rir\":\"apnic\"}\n"
		 "{\"cidr\":\"2a06:f680::/29\",\"sblid\":\"SBL303641\",\"rir\":\"ripencc\"}\n"
		 "{\"type\":\"metadata\",\"timestamp\":1763942120,\"size\":88000,\"records\":2,"
		 "\"copyright\":\"(c) 2025\",\"terms\":\"https://www.spamhaus.org/drop/terms/\"}\n",
	 .values = "1.10.16.0/20 2a06:f680::/29",
	 .first = "700 75 0 ||SBL256894"},
	{.format = "csv", // abuse.ch Feodo Tracker
	 .text = "################################################################\n# abuse.ch "
		 "Feodo Tracker Botnet C2 IP Blocklist (CSV)           #\n# Last updated: "
		 "2025-11-24 09:10:03 UTC                        #\n"
		 "################################################################\n#\n"
		 "\"first_seen_utc\",\"dst_ip\",\"dst_port\",\"c2_status\",\"last_online\","
		 "\"malware\"\n\"2025-01-14 18:08:02\",\"50.16.16.211\",\"443\",\"offline\","
		 "\"2025-11-24\",\"QakBot\"\n# END 1 entries\n",
	 .values = "50.16.16.211:443",
	 .first = "700 75 1736878082 |QakBot|"},
	{.format = "json", // the same as JSON
	 .text = "[\n    {\n        \"ip_address\": \"50.16.16.211\",\n        \"port\": 443,\n    "
		 " "
		 "   \"status\": \"offline\",\n        \"hostname\": "
		 "\"ec2.compute-1.amazonaws.com\",\n        \"as_number\": 14618,\n        "
		 "\"as_name\": \"AMAZON-AES\",\n        \"country\": \"US\",\n        "
		 "\"first_seen\": \"2025-01-14 18:08:02\",\n        \"last_online\": "
		 "\"2025-11-24\",\n        \"malware\": \"QakBot\"\n    }\n]\n",
	 .values = "50.16.16.211:443",
	 .first = "700 75 1736878082 |QakBot|"},
	{.format = "csv", // abuse.ch SSLBL
	 .text = "################################################################\n# abuse.ch "
		 "SSLBL Botnet C2 IP Blacklist (CSV) #\n#\n# Firstseen,DstIP,DstPort\n2025-11-24 "
		 "08:04:37,62.60.226.80,4444\n2025-11-24 08:04:37,62.60.226.80\n# END (1) "
		 "entries\n",
	 .values = "62.60.226.80:4444",
	 .first = "700 75 1763971477 ||",
	 .rejected = 1},
	{.format = "csv", // abuse.ch URLhaus
	 .text = "################################################################\n# abuse.ch "
		 "URLhaus Database Dump (CSV - recent URLs only)        #\n#\n# "
		 "id,dateadded,url,url_status,last_online,threat,tags,urlhaus_link,reporter\n"
		 "\"3414013\",\"2025-11-24 09:36:15\",\"http://59.182.90.60:49531/bin.sh\","
		 "\"online\",\"2025-11-24 09:36:15\",\"malware_download\",\"32-bit,elf,mips,Mozi\","
		 "\"https://urlhaus.abuse.ch/url/3414013/\",\"geenensp\"\n\"3414012\",\"2025-11-24 "
		 "09:35:22\",\"https://files.example/x.exe\",\"online\",\"2025-11-24 09:35:22\","
		 "\"malware_download\",\"exe\",\"https://urlhaus.abuse.ch/url/3414012/\",\"x\"\n",
	 .values = "59.182.90.60:49531/tcp",
	 .first = "700 75 1763976975 "
		  "malware_download|32-bit,elf,mips,Mozi|https://urlhaus.abuse.ch/url/3414013/",
	 .unsupported = 1},
	{.format = "plain", // URLhaus hostfile
	 .text = "# abuse.ch URLhaus Host file\n127.0.0.1\t1008691.com\n127.0.0.1\tbad.example\n",
	 .values = "1008691.com bad.example",
	 .first = "700 75 0 ||"},
	{.format = "csv", // abuse.ch ThreatFox: blanks before quotes
	 .text = "################################################################\n# abuse.ch "
		 "ThreatFox IOCs: recent - CSV format #\n#\n# \"first_seen_utc\",\"ioc_id\","
		 "\"ioc_value\",\"ioc_type\",\"threat_type\",\"fk_malware\",\"malware_alias\","
		 "\"malware_printable\",\"last_seen_utc\",\"confidence_level\","
		 "\"is_compromised\",\"reference\",\"tags\",\"anonymous\",\"reporter\"\n"
		 "\"2025-11-24 09:31:02\", \"1650013\", \"45.83.31.50:8080\", \"ip:port\", "
		 "\"botnet_cc\", \"win.cobalt_strike\", \"Agentemis,BEACON\", \"Cobalt Strike\", "
		 "\"None\", \"90\", \"False\", \"https://x.example/1\", \"AS200\", \"0\", \"a\"\n"
		 "\"2025-11-24 09:31:02\", \"1650012\", \"bad.example\", \"domain\", "
		 "\"botnet_cc\", "
		 "\"win.x\", \"None\", \"X\", \"\", \"100\", \"True\", \"None\", \"\", \"0\", "
		 "\"a\"\n"
		 "\"2025-11-24 09:31:02\", \"1650011\", \"http://45.83.31.51/a\", \"url\", "
		 "\"payload_delivery\", \"win.x\", \"None\", \"X\", \"\", \"100\", \"False\", "
		 "\"None\", \"\", \"0\", \"a\"\n\"2025-11-24 09:31:02\", \"1650010\", \"ffee\", "
		 "\"sha256_hash\", \"payload\", \"win.x\", \"None\", \"X\", \"\", \"50\", "
		 "\"False\", "
		 "\"None\", \"\", \"0\", \"a\"\n# Number of entries: 4\n",
	 .values = "45.83.31.50:8080 bad.example 45.83.31.51:80/tcp",
	 .first = "700 90 1763976662 botnet_cc|Cobalt Strike|https://x.example/1",
	 .unsupported = 1},
	{.format = "alienvault",
	 .text = "49.143.32.6#4#2#Malicious Host#KR##37.5111999512,126.974098206#3\n"
		 "222.77.181.28#9#8#Scanning Host;Spamming#CN#Fuzhou#26.0614,119.3061#11;12\n",
	 .values = "49.143.32.6 222.77.181.28",
	 .first = "200 40 0 Malicious Host||"},
	{.format = "json", // OTX pulse
	 .text = "{\"id\":\"5\",\"name\":\"p\",\"indicators\":[{\"id\":1,\"indicator\":"
		 "\"45.83.31.50\",\"type\":\"IPv4\",\"created\":\"2025-11-24T00:00:00\","
		 "\"description\":\"c2\",\"expiration\":null,\"is_active\":1},{\"indicator\":"
		 "\"45.83.31.0/24\",\"type\":\"CIDR\",\"expiration\":\"2025-01-01T00:00:00\","
		 "\"is_active\":1},{\"indicator\":\"h.bad.example\",\"type\":\"hostname\"},{"
		 "\"indicator\":\"ff\",\"type\":\"FileHash-MD5\"}]}",
	 .values = "45.83.31.50 =h.bad.example",
	 .first = "700 75 0 |c2|",
	 .unsupported = 1,
	 .expired = 1},
	{.format = "json", // OTX subscription: pulses
	 .text = "{\"count\":1,\"next\":null,\"results\":[{\"name\":\"p\",\"indicators\":[{"
		 "\"indicator\":\"2a06:f680::1\",\"type\":\"IPv6\"}]}]}",
	 .values = "2a06:f680::1",
	 .first = "700 75 0 ||"},
	{.format = "plain", // DShield
	 .text = "# DShield.org Recommended Block "
		 "List\nStart\tEnd\tNetblock\tAttacks\tName\tCountry"
		 "\temail\n80.94.92.0\t80.94.92.255\t24\t7022\tUNMANAGED\tRO\tabuse@x.example\n",
	 .values = "80.94.92.0/24",
	 .first = "700 75 0 ||",
	 .rejected = 1},
	{.format = "plain", // ipsum
	 .text = "# IPsum Threat Intelligence Feed\n# IP\tnumber of (black)lists\n#\n"
		 "80.94.92.166\t11\n45.83.31.50\t1\n",
	 .values = "80.94.92.166 45.83.31.50",
	 .first = "700 75 0 ||11"},
	{.format = "json", // MISP event
	 .text = "{\"Event\":{\"info\":\"OSINT\",\"Attribute\":[{\"type\":\"ip-dst|port\","
		 "\"category\":\"Network activity\",\"value\":\"45.83.31.50|8080\",\"to_ids\":true,"
		 "\"comment\":\"beacon\",\"first_seen\":\"2025-11-01T00:00:00.000000+00:00\"},{"
		 "\"type\":\"ip-src\",\"value\":\"45.83.31.51\",\"to_ids\":false},{\"type\":"
		 "\"domain|ip\",\"value\":\"bad.example|45.83.31.52\",\"to_ids\":true},{\"type\":"
		 "\"hostname\",\"value\":\"h.bad.example\",\"to_ids\":true},{\"type\":\"url\","
		 "\"value\":\"http://45.83.31.53:81/x\",\"to_ids\":true},{\"type\":\"sha256\","
		 "\"value\":\"ff\",\"to_ids\":true},{\"type\":\"ip-dst\",\"value\":\"10.0.0.1\","
		 "\"to_ids\":true}]}}",
	 .values = "45.83.31.50:8080 bad.example 45.83.31.52 =h.bad.example 45.83.31.53:81/tcp",
	 .first = "700 75 1761955200 Network activity|beacon|",
	 .unsupported = 2,
	 .reserved = 1},
	{.format = "json", // MISP search
	 .text = "{\"response\":[{\"Event\":{\"Attribute\":[{\"type\":\"ip-dst\",\"value\":"
		 "\"2a06:f680::1\",\"to_ids\":true}]}}]}",
	 .values = "2a06:f680::1",
	 .first = "700 75 0 ||"},
	{.format = "csv", // MISP CSV: a comment with a line end in it
	 .text = "uuid,event_id,category,type,value,comment,to_ids,date\n"
		 "\"u1\",1,\"Network activity\",\"ip-dst\",\"45.83.31.50\",\"first line\nsecond, "
		 "line\",1,1763942120\n\"u2\",1,\"Network "
		 "activity\",\"domain\",\"bad.example\",\"\","
		 "1,1763942120\n",
	 .values = "45.83.31.50 bad.example",
	 .first = "700 75 1763942120 Network activity|first line\nsecond, line|"},
	{.format = "json", // STIX 2.1: what can be matched, what cannot, what is no pattern
	 .text = "{\"type\":\"bundle\",\"id\":\"bundle--1\",\"objects\":["
		 "{\"type\":\"malware\",\"name\":\"x\"},"
		 "{\"type\":\"indicator\",\"spec_version\":\"2.1\",\"id\":\"indicator--1\","
		 "\"name\":\"c2 server\",\"pattern\":\"[ipv4-addr:value = "
		 "'45.83.31.50']\",\"pattern_type\":\"stix\",\"valid_from\":\"2025-11-01T00:00:"
		 "00Z\","
		 "\"valid_until\":\"2030-01-01T00:00:00Z\",\"confidence\":85,"
		 "\"indicator_types\":[\"malicious-activity\"]},"
		 "{\"type\":\"indicator\",\"pattern_type\":\"stix\",\"pattern\":\"[ipv6-addr:value "
		 "IN ('2a06:f680::1','2a06:f680::2') OR ipv4-addr:value ISSUBSET "
		 "'45.83.32.0/24']\"},"
		 "{\"type\":\"indicator\",\"pattern_type\":\"stix\",\"pattern\":\"([url:value = "
		 "'http://45.83.31.51/a'] OR [domain-name:value='bad.example'])\"},"
		 "{\"type\":\"indicator\",\"pattern_type\":\"stix\",\"pattern\":\"[network-traffic:"
		 "dst_port = 443]\"},"
		 "{\"type\":\"indicator\",\"pattern_type\":\"stix\",\"pattern\":\"[EXISTS "
		 "ipv4-addr:value]\"},"
		 "{\"type\":\"indicator\",\"pattern_type\":\"stix\",\"pattern\":\"[ipv4-addr:value "
		 "= "
		 "'45.83.31.9'] WITHIN 5 SECONDS\"},"
		 "{\"type\":\"indicator\",\"pattern_type\":\"stix\",\"pattern\":\"[ipv4-addr:value "
		 "!= "
		 "'45.83.31.9']\"},"
		 "{\"type\":\"indicator\",\"pattern_type\":\"stix\",\"pattern\":\"[ipv4-addr:value "
		 "IN ('45.83.31.9' '45.83.31.8')]\"},"
		 "{\"type\":\"indicator\",\"pattern_type\":\"stix\",\"valid_until\":"
		 "\"2020-01-01T00:00:00Z\",\"pattern\":\"[ipv4-addr:value = '45.83.31.7']\"}]}",
	 .values = "45.83.31.50 2a06:f680::1 2a06:f680::2 45.83.32.0/24 45.83.31.51:80/tcp "
		   "=bad.example",
	 .first = "700 85 1761955200 malicious-activity|c2 server|indicator--1",
	 .rejected = 1,
	 .unsupported = 4,
	 .expired = 1},
	{.format = "iprep",
	 .text = "# ip,category,score\n45.83.31.50,1,127\n45.83.31.50,7,20\n2a06:f680::/29,2,64\n"
		 "45.83.31.51,60,1\n45.83.31.52,1,128\n",
	 .values = "45.83.31.50 45.83.31.50 2a06:f680::/29",
	 .first = "1000 75 0 category 1||",
	 .rejected = 2},
	{.format = "zeek", // empty columns at the end of a line, "-" for nothing
	 .text = "#separator \\x09\n#fields\tindicator\tindicator_type\tmeta.source\tmeta.desc\t"
		 "meta.url\tmeta.whitelist\tmeta.remove\n45.83.31.50\tIntel::ADDR\tme\tbotnet c2\t"
		 "http://x.example/\tF\tF\n45.83.32.0/24\tIntel::SUBNET\tme\t-\t-\tF\t\n"
		 "bad.example\tIntel::DOMAIN\tme\t\t\t\t\n45.83.31.51/"
		 "a.php\tIntel::URL\tme\t-\t-\tF"
		 "\tF\n45.83.31.52\tIntel::ADDR\tme\t-\t-\tF\tT\nx@y.example\tIntel::EMAIL\tme\t-"
		 "\t-"
		 "\tF\tF\n",
	 .values = "45.83.31.50 45.83.32.0/24 bad.example 45.83.31.51:80/tcp",
	 .first = "700 75 0 |botnet c2|http://x.example/",
	 .unsupported = 1,
	 .expired = 1},
	{.format = "csv", // OneFirewall
	 .text = "IPv4,LiveScore,Members,Reports,LastUpdate,AS,ASN,CDN,Reverse,IS_CDN\n"
		 "45.83.31.50,812,3,19,2025-11-23T10:00:00Z,200,\"SOME, ISP\",,x.example,False\n"
		 "45.83.31.51,400,1,1,2025-11-23T10:00:00Z,200,A,cdn,x.example,True\n",
	 .values = "45.83.31.50 45.83.31.51",
	 .first = "812 75 0 ||"},
	{.format = "commas", // OneFirewall, list=YES
	 .text = "45.83.31.50,45.83.31.51, 45.83.31.52,bad\n",
	 .values = "45.83.31.50 45.83.31.51 45.83.31.52",
	 .first = "700 75 0 ||",
	 .rejected = 1},
	{.format = "jsonl", // our own, the first line broken
	 .text = "{\"indicator\":\n{\"indicator\":\"45.83.31.50\",\"type\":\"addr\",\"feed\":"
		 "\"own\","
		 "\"category\":\"c2\",\"severity\":\"high\",\"confidence\":95,\"score\":640,"
		 "\"first_seen\":\"2025-11-01T00:00:00Z\",\"valid_until\":\"2030-01-01T00:00:00Z\","
		 "\"description\":\"d\",\"reference\":\"r\",\"port\":443,\"proto\":\"tcp\"}\n"
		 "{\"port\":4444,\"type\":\"port\",\"proto\":\"udp\"}\n"
		 "{\"indicator\":\"bad.example\",\"type\":\"domain\"}\n",
	 .values = "45.83.31.50:443/tcp port 4444/udp bad.example",
	 .first = "640 95 1761955200 c2|d|r",
	 .rejected = 1},
	{.format = "csv", // our own, a new column in the middle, one line without it
	 .text = "indicator,colour,type,score,description\n45.83.31.50,red,ip,300,d\nbad.example,,"
		 "domain,200,\n45.83.31.51,ip,300,d\n",
	 .values = "45.83.31.50 bad.example",
	 .first = "300 75 0 |d|",
	 .rejected = 1},
	{.format = "plain", // a remark that only looks like a head
	 .text = "# address, date\n45.83.31.50 # since May\n45.83.31.51\n",
	 .values = "45.83.31.50 45.83.31.51",
	 .first = "700 75 0 ||since May"},
};

static void read_first(const struct intel_list *l, char *text, size_t size)
{
	const struct indicator *i = l->items;
	snprintf(
		text,
		size,
		"%u %u %u %s|%s|%s",
		i->score,
		i->confidence,
		i->first_seen,
		intel_list_str(l, i->category),
		intel_list_str(l, i->description),
		intel_list_str(l, i->reference)
	);
}

static void feeds_are_read_as_their_publishers_write_them(void **)
{
	for (size_t i = 0; i < sizeof(samples) / sizeof(samples[0]); i++) {
		const struct sample *s = &samples[i];
		struct feed_options o = {.name = "test"};
		struct feed_report r;
		struct intel_list *l;
		char text[1024] = "";
		size_t at = 0;
		assert_int_equal(feed_parse(&o, s->text, strlen(s->text), NOW_NS, &l, &r), 0);
		assert_string_equal(r.format, s->format);
		for (size_t k = 0; k < l->n; k++)
			at += (size_t)snprintf(
				text + at,
				sizeof(text) - at,
				"%s%s",
				k ? " " : "",
				intel_list_str(l, l->items[k].value)
			);
		assert_string_equal(text, s->values);
		if (l->n)
			read_first(l, text, sizeof(text));
		assert_string_equal(text, l->n ? s->first : "");
		assert_int_equal(r.rejected, s->rejected);
		assert_int_equal(r.unsupported, s->unsupported);
		assert_int_equal(r.reserved, s->reserved);
		assert_int_equal(r.expired, s->expired);
		// by name it is the same
		struct intel_list *again;
		o.format = s->format;
		assert_int_equal(feed_parse(&o, s->text, strlen(s->text), NOW_NS, &again, &r), 0);
		assert_int_equal(again->n, l->n);
		intel_list_put(l);
		intel_list_put(again);
	}
}

static void warning_lists_allow_whoever_adds_them(void **)
{
	static const char text[] =
		"{\"name\":\"DNS\",\"type\":\"cidr\",\"list\":[\"8.8.8.8\",\"10.0.0.0/8\","
		"\"2001:4860::/32\"],\"matching_attributes\":[\"ip-dst\"],\"version\":1}";
	static const char words[] = "{\"name\":\"x\",\"type\":\"regex\",\"list\":[\"a.*\"],"
				    "\"matching_attributes\":[\"domain\"]}";
	struct feed_options o = {.name = "test"};
	struct feed_report r;
	struct intel_list *l;
	assert_int_equal(feed_parse(&o, text, strlen(text), NOW_NS, &l, &r), 0);
	assert_int_equal(l->n, 3);
	for (size_t i = 0; i < l->n; i++)
		assert_true(l->items[i].is_allow);
	intel_list_put(l);
	assert_int_equal(feed_parse(&o, words, strlen(words), NOW_NS, &l, &r), 0);
	assert_int_equal(r.unsupported, 1);
	intel_list_put(l);
}

static void a_lonely_quote_spoils_its_own_line_only(void **)
{
	static const char text[] = "indicator,comment\n45.83.31.50,\"open\n45.83.31.51,b\n"
				   "45.83.31.52,\"x\"y\n45.83.31.53,\"c\"\n45.83.31.54,\"z";
	struct feed_options o = {.name = "test"};
	struct feed_report r;
	struct intel_list *l;
	assert_int_equal(feed_parse(&o, text, strlen(text), NOW_NS, &l, &r), 0);
	assert_int_equal(l->n, 2);
	assert_string_equal(intel_list_str(l, l->items[0].value), "45.83.31.51");
	assert_string_equal(intel_list_str(l, l->items[1].value), "45.83.31.53");
	assert_int_equal(r.rejected, 3);
	assert_int_equal(r.rejects[0].line, 2);
	assert_int_equal(r.rejects[1].line, 4);
	assert_int_equal(r.rejects[2].line, 6);
	intel_list_put(l);
}

// The same bad lines in each of the line formats: the good one behind them is there.
static void bad_lines_spoil_no_format(void **)
{
	static const struct {
		const char *format, *head, *good;
	} of[] = {
		{"plain", "", "45.83.31.50"},
		{"csv", "indicator,score,comment\n", "45.83.31.50,1,c"},
		{"zeek", "#fields\tindicator\tindicator_type\n", "45.83.31.50\tIntel::ADDR"},
		{"jsonl", "", "{\"indicator\":\"45.83.31.50\"}"},
		{"iprep", "", "45.83.31.50,1,1"},
		{"alienvault", "", "45.83.31.50#1#2#Scanning Host#CN"},
	};
	static char text[(1 << 20) + 4096];
	for (size_t i = 0; i < sizeof(of) / sizeof(of[0]); i++) {
		struct feed_options o = {.name = "test", .format = of[i].format};
		struct feed_report r;
		struct intel_list *l;
		size_t len = (size_t)sprintf(text, "%s%s\n\n \t\n", of[i].head, of[i].good);
		memset(text + len, 'x', 1 << 20); // a line of a mebibyte
		len += 1 << 20;
		text[len++] = '\n';
		for (int k = 1; k < 512; k++)
			text[len++] = (char)(k % 256 == '\n' || k % 256 == '\r' ? 0 : k);
		len += (size_t)sprintf(text + len, "\na,b,c,d,e,f\n%s\n", of[i].good);
		assert_int_equal(feed_parse(&o, text, len, NOW_NS, &l, &r), 0);
		assert_int_equal(l->n, 2);
		assert_int_equal(r.rejected, 3);
		assert_int_equal(r.n_rejects, 3);
		assert_int_equal(r.lines, 5);
		uint32_t first = of[i].head[0] ? 5 : 4;
		for (uint32_t k = 0; k < 3; k++) {
			assert_int_equal(r.rejects[k].line, first + k);
			assert_true(r.rejects[k].why[0] != '\0');
		}
		intel_list_put(l);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(feeds_are_read_as_their_publishers_write_them),
		cmocka_unit_test(warning_lists_allow_whoever_adds_them),
		cmocka_unit_test(a_lonely_quote_spoils_its_own_line_only),
		cmocka_unit_test(bad_lines_spoil_no_format),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
