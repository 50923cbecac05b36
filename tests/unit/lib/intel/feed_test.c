// SPDX-License-Identifier: Apache-2.0

#include "lib/intel/feed.h"
#include "tests/unit/cmocka.h"

#include <stdio.h>
#include <stdlib.h>

#define NOW_NS 1764000000000000000ull // 2025-11-24

struct sample {
	const char *format; // as it is to be recognised
	const char *text;
	const char *values; // canonical, apart by blanks, in the order of the feed
	unsigned rejected, unsupported, reserved, expired;
};

static const struct sample samples[] = {
	{"plain",
	 "# comment\n198.51.100.7\r\n; other\n\n203.0.113.0/24 ; SBL1\n2001:db8::/32\n",
	 "198.51.100.7 203.0.113.0/24 2001:db8::/32",
	 0,
	 0,
	 0,
	 0},
	{"plain",
	 "\xef\xbb\xbf"
	 "198.51.100.7\n198.51.100.9\n",
	 "198.51.100.7 198.51.100.9",
	 0,
	 0,
	 0,
	 0},
	{"plain",
	 "#\n# firehol_test\n# Category        : "
	 "malware\n#\n10.0.0.0/8\n198.51.100.0/24\n127.0.0.1\n",
	 "198.51.100.0/24",
	 0,
	 0,
	 2,
	 0},
	{"plain",
	 "evil.example\n*.sub.example\n=only.this.example\nnot a name!\n",
	 "evil.example sub.example =only.this.example",
	 1,
	 0,
	 0,
	 0},
	{"plain",
	 "127.0.0.1\tmalware.example\n0.0.0.0 other.example\n",
	 "malware.example other.example",
	 0,
	 0,
	 0,
	 0},
	{"plain",
	 "198.51.100.0\t198.51.100.255\t24\t1234\tNAME\tCC\tmail\n203.0.113.0\t203.0.113."
	 "255\t24\t99\n",
	 "198.51.100.0/24 203.0.113.0/24",
	 0,
	 0,
	 0,
	 0},
	{"plain", "198.51.100.7\t12\n198.51.100.8\t3\n", "198.51.100.7 198.51.100.8", 0, 0, 0, 0},
	{"plain",
	 "198.51.100.7:443\n[2001:db8::5]:8443\nport 4444/tcp\n203.0.113.77/24\n",
	 "198.51.100.7:443 [2001:db8::5]:8443 port 4444/tcp 203.0.113.0/24",
	 0,
	 0,
	 0,
	 0},
	{"plain",
	 "0.0.0.0/0\n198.51.100.7\n::/"
	 "0\ncom\n1.2.3\n999.1.1.1\n198.51.100.8\n203.0.113.1\n198.51.100.1\n198.51.100.2\n",
	 "198.51.100.7 198.51.100.8 203.0.113.1 198.51.100.1 198.51.100.2",
	 5,
	 0,
	 0,
	 0},
	{"jsonl",
	 "{\"cidr\":\"198.51.100.0/"
	 "24\",\"sblid\":\"SBL256894\",\"rir\":\"apnic\"}\n{\"cidr\":\"2001:db8::/"
	 "32\",\"sblid\":\"SBL2\",\"rir\":\"ripe\"}\n{\"type\":\"metadata\",\"timestamp\":1,"
	 "\"size\":2,\"records\":2}\n",
	 "198.51.100.0/24 2001:db8::/32",
	 0,
	 0,
	 0,
	 0},
	{"jsonl",
	 "{\"indicator\":\"198.51.100.7\",\"type\":\"ip\",\"score\":900,\"port\":443,\"proto\":"
	 "\"udp\"}\n{\"indicator\":\"evil.example\",\"type\":\"domain\"}\n{\"indicator\":\"00ff\","
	 "\"type\":\"sha256\"}\nnot "
	 "json\n{\"indicator\":\"198.51.100.9\",\"valid_until\":\"2020-01-01T00:00:00Z\"}\n",
	 "198.51.100.7:443/udp evil.example",
	 1,
	 1,
	 0,
	 1},
	{"csv",
	 "# "
	 "Feodo\n\"first_seen_utc\",\"dst_ip\",\"dst_port\",\"c2_status\",\"last_online\","
	 "\"malware\"\n\"2025-01-01 "
	 "10:00:00\",\"198.51.100.7\",\"443\",\"online\",\"2025-01-02\",\"QakBot\"\n\"2025-01-01 "
	 "10:00:00\",\"198.51.100.8\",\"4443\",\"offline\",\"2025-01-02\",\"Emotet\"\n",
	 "198.51.100.7:443 198.51.100.8:4443",
	 0,
	 0,
	 0,
	 0},
	{"csv",
	 "################\n# Firstseen,DstIP,DstPort\n2025-01-01 "
	 "10:00:00,198.51.100.7,443\n2025-01-01,198.51.100.8\n",
	 "198.51.100.7:443",
	 1,
	 0,
	 0,
	 0},
	{"csv",
	 "# "
	 "\"first_seen_utc\",\"ioc_id\",\"ioc_value\",\"ioc_type\",\"threat_type\",\"fk_malware\","
	 "\"malware_alias\",\"malware_printable\",\"last_seen_utc\",\"confidence_level\",\"is_"
	 "compromised\",\"reference\",\"tags\",\"anonymous\",\"reporter\"\n"
	 "\"2025-01-01 10:00:00\", \"1\", \"198.51.100.7:8080\", \"ip:port\", \"botnet_cc\", "
	 "\"win.x\", \"None\", \"X, the \"\"bot\"\"\", \"\", \"100\", \"False\", \"None\", "
	 "\"a,b\", \"0\", \"me\"\n"
	 "\"2025-01-01 10:00:00\", \"2\", \"evil.example\", \"domain\", \"botnet_cc\", \"win.x\", "
	 "\"None\", \"X\", \"\", \"50\", \"True\", \"None\", \"a,b\", \"0\", \"me\"\n"
	 "\"2025-01-01 10:00:00\", \"3\", \"ffff\", \"md5_hash\", \"payload\", \"win.x\", "
	 "\"None\", \"X\", \"\", \"50\", \"False\", \"None\", \"a,b\", \"0\", \"me\"\n",
	 "198.51.100.7:8080 evil.example",
	 0,
	 1,
	 0,
	 0},
	{"csv",
	 "# "
	 "id,dateadded,url,url_status,last_online,threat,tags,urlhaus_link,reporter\n\"1\",\"2025-"
	 "01-01 "
	 "10:00:00\",\"http://198.51.100.7/"
	 "a.sh\",\"online\",\"\",\"malware_download\",\"a,b\",\"https://x.example/"
	 "1\",\"me\"\n\"2\",\"2025-01-01 "
	 "10:00:00\",\"https://files.example/"
	 "a.sh\",\"online\",\"\",\"malware_download\",\"\",\"https://x.example/"
	 "2\",\"me\"\n\"3\",\"2025-01-01 "
	 "10:00:00\",\"http://198.51.100.8:81/"
	 "\",\"online\",\"\",\"malware_download\",\"\",\"https://x.example/3\",\"me\"\n",
	 "198.51.100.7:80/tcp 198.51.100.8:81/tcp",
	 0,
	 1,
	 0,
	 0},
	{"csv",
	 "IPv4,LiveScore,Members,Reports,LastUpdate,AS,ASN,CDN,Reverse,IS_CDN\n198.51.100.7,812,3,"
	 "9,2025-01-01,1,a,,x.example,False\n198.51.100.8,812,3,9,2025-01-01,1,a,X,x.example,"
	 "True\n",
	 "198.51.100.7 198.51.100.8",
	 0,
	 0,
	 0,
	 0},
	{"csv",
	 "uuid,event_id,category,type,value,comment,to_ids,date\nu,1,Network "
	 "activity,ip-dst,198.51.100.7,c,1,20250101\nu,1,Network "
	 "activity,ip-dst|port,198.51.100.8|443,c,1,20250101\nu,1,Network "
	 "activity,domain,evil.example,c,0,20250101\n",
	 "198.51.100.7 198.51.100.8:443",
	 0,
	 1,
	 0,
	 0},
	{"csv",
	 "indicator,new,type,score\n198.51.100.7,x,ip,5\n198.51.100.8,y,ip,6,7\n",
	 "198.51.100.7",
	 1,
	 0,
	 0,
	 0},
	{"iprep",
	 "198.51.100.7,3,127\n203.0.113.0/24,1,64\nbroken\n",
	 "198.51.100.7 203.0.113.0/24",
	 1,
	 0,
	 0,
	 0},
	{"alienvault",
	 "198.51.100.7#4#3#Scanning Host;C&C#CN##39.9,116.3#11;12\n198.51.100.8#4#10#Malware "
	 "Domain#US##1,2#3\n",
	 "198.51.100.7 198.51.100.8",
	 0,
	 0,
	 0,
	 0},
	{"zeek",
	 "#fields\tindicator\tindicator_type\tmeta.source\tmeta.desc\tmeta.url\n198.51.100."
	 "7\tIntel::ADDR\tme\td\t-\n203.0.113.0/"
	 "24\tIntel::SUBNET\tme\t-\t-\nevil.example\tIntel::DOMAIN\tme\t-\t-\nx@y.example\tIntel::"
	 "EMAIL\tme\t-\t-\nshort\tIntel::ADDR\n",
	 "198.51.100.7 203.0.113.0/24 evil.example",
	 1,
	 1,
	 0,
	 0},
	{"json",
	 "[{\"ip_address\":\"198.51.100.7\",\"port\":443,\"status\":\"online\",\"malware\":\"X\"},{"
	 "\"ip_address\":\"198.51.100.8\",\"port\":0}]",
	 "198.51.100.7:443 198.51.100.8",
	 0,
	 0,
	 0,
	 0},
	{"json",
	 "{\"Event\":{\"info\":\"x\",\"Attribute\":[{\"type\":\"ip-dst\",\"value\":\"198.51.100."
	 "7\",\"to_ids\":true},{\"type\":\"md5\",\"value\":\"ff\",\"to_ids\":true}],\"Object\":[{"
	 "\"Attribute\":[{\"type\":\"hostname\",\"value\":\"a.evil.example\",\"to_ids\":true}]}]}}",
	 "198.51.100.7 =a.evil.example",
	 0,
	 1,
	 0,
	 0},
	{"json",
	 "{\"name\":\"pulse\",\"indicators\":[{\"type\":\"IPv4\",\"indicator\":\"198.51.100.7\","
	 "\"is_active\":1},{\"type\":\"IPv4\",\"indicator\":\"198.51.100.8\",\"is_active\":0},{"
	 "\"type\":\"hostname\",\"indicator\":\"h.example\"}]}",
	 "198.51.100.7 =h.example",
	 0,
	 1,
	 0,
	 0},
	{"json",
	 "{\"type\":\"bundle\",\"id\":\"bundle--1\",\"objects\":["
	 "{\"type\":\"identity\",\"name\":\"x\"},"
	 "{\"type\":\"indicator\",\"id\":\"indicator--1\",\"pattern_type\":\"stix\",\"pattern\":\"["
	 "ipv4-addr:value = '198.51.100.1' OR ipv4-addr:value IN ('198.51.100.2', "
	 "'198.51.100.3')]\",\"confidence\":80,\"labels\":[\"c2\"]},"
	 "{\"type\":\"indicator\",\"pattern_type\":\"stix\",\"pattern\":\"[ipv4-addr:value "
	 "ISSUBSET '203.0.113.0/24'] OR [domain-name:value = 'evil.example']\"},"
	 "{\"type\":\"indicator\",\"pattern_type\":\"stix\",\"pattern\":\"[file:hashes.MD5 = "
	 "'ff']\"},"
	 "{\"type\":\"indicator\",\"pattern_type\":\"stix\",\"pattern\":\"[ipv4-addr:value = "
	 "'198.51.100.9' AND domain-name:value = 'x.example']\"},"
	 "{\"type\":\"indicator\",\"pattern_type\":\"stix\",\"pattern\":\"[ipv4-addr:value = "
	 "'198.51.100.9\"},"
	 "{\"type\":\"indicator\",\"pattern_type\":\"sigma\",\"pattern\":\"x\"},"
	 "{\"type\":\"indicator\",\"pattern_type\":\"stix\",\"revoked\":true,\"pattern\":\"[ipv4-"
	 "addr:value = '198.51.100.9']\"}]}",
	 "198.51.100.1 198.51.100.2 198.51.100.3 203.0.113.0/24 =evil.example",
	 1,
	 3,
	 0,
	 1},
};

static void values_of(const struct intel_list *l, char *text, size_t size)
{
	size_t at = 0;
	text[0] = '\0';
	for (size_t i = 0; i < l->n; i++) {
		char value[INDICATOR_TEXT_LEN];
		indicator_format(&l->items[i], intel_list_str(l, l->items[i].name), value);
		at += (size_t)snprintf(text + at, size - at, "%s%s", i ? " " : "", value);
	}
}

static void formats_are_recognised_and_read(void **)
{
	for (size_t i = 0; i < sizeof(samples) / sizeof(samples[0]); i++) {
		const struct sample *s = &samples[i];
		struct feed_options o = {.name = "test"};
		struct feed_report r;
		struct intel_list *l;
		char values[1024];
		assert_int_equal(feed_parse(&o, s->text, strlen(s->text), NOW_NS, &l, &r), 0);
		assert_string_equal(r.format, s->format);
		values_of(l, values, sizeof(values));
		assert_string_equal(values, s->values);
		assert_int_equal(r.taken, l->n);
		assert_int_equal(r.rejected, s->rejected);
		assert_int_equal(r.unsupported, s->unsupported);
		assert_int_equal(r.reserved, s->reserved);
		assert_int_equal(r.expired, s->expired);
		intel_list_put(l);
	}
}

// Every cut of every sample, in memory of exactly its size.
static void a_feed_cut_anywhere_harms_nothing(void **)
{
	for (size_t i = 0; i < sizeof(samples) / sizeof(samples[0]); i++) {
		for (size_t len = 0; len < strlen(samples[i].text); len++) {
			struct feed_options o = {.name = "test"};
			struct feed_report r;
			struct intel_list *l = NULL;
			char *data = malloc(len ? len : 1);
			memcpy(data, samples[i].text, len);
			int ret = feed_parse(&o, data, len, NOW_NS, &l, &r);
			assert_true(ret == 0 || ret == -22);
			intel_list_put(l);
			free(data);
		}
	}
}

static struct indicator
only(const char *text, const struct feed_options *o, struct intel_list **ret_list)
{
	struct feed_report r;
	assert_int_equal(feed_parse(o, text, strlen(text), NOW_NS, ret_list, &r), 0);
	assert_int_equal((*ret_list)->n, 1);
	return (*ret_list)->items[0];
}

static void what_a_feed_says_beats_the_defaults(void **)
{
	struct feed_options o = {
		.name = "f", .score = 400, .confidence = 30, .category = "default"};
	struct intel_list *l;
	struct indicator i =
		only("indicator,category,severity,score,confidence,first_seen,last_seen,valid_"
		     "until,description,reference\n"
		     "198.51.100.7,c2,critical,950,90,2025-01-01T00:00:00Z,2025-02-01,2030-01-"
		     "01T00:00:00+01:00,text,ref\n",
		     &o,
		     &l);
	assert_int_equal(i.score, 950);
	assert_int_equal(i.confidence, 90);
	assert_int_equal(i.severity, SEVERITY_CRITICAL);
	assert_string_equal(intel_list_str(l, i.category), "c2");
	assert_string_equal(intel_list_str(l, i.description), "text");
	assert_string_equal(intel_list_str(l, i.reference), "ref");
	assert_int_equal(i.first_seen, 1735689600);
	assert_int_equal(i.last_seen, 1738368000);
	assert_int_equal(i.expires, 1893456000 - 3600);
	intel_list_put(l);
	i = only("198.51.100.7 # note\n", &o, &l);
	assert_int_equal(i.score, 400);
	assert_int_equal(i.confidence, 30);
	assert_int_equal(i.severity, SEVERITY_MEDIUM);
	assert_string_equal(intel_list_str(l, i.category), "default");
	intel_list_put(l);
}

static void a_victims_address_weighs_less(void **)
{
	struct feed_options o = {.name = "f", .score = 800};
	struct intel_list *l;
	struct indicator i =
		only("ioc_value,is_compromised,confidence_level\n198.51.100.7,True,100\n", &o, &l);
	assert_int_equal(i.score, 400);
	assert_int_equal(i.confidence, 50);
	intel_list_put(l);
}

static void scales_are_brought_to_a_thousand(void **)
{
	struct feed_options o = {.name = "f"};
	struct intel_list *l;
	assert_int_equal(only("198.51.100.7,3,127\n", &o, &l).score, 1000);
	intel_list_put(l);
	assert_int_equal(only("198.51.100.7#4#5#x#CC\n", &o, &l).score, 500);
	intel_list_put(l);
}

static void own_lists_keep_reserved_networks(void **)
{
	struct feed_options o = {.name = "f", .keep_reserved = true, .is_allow = true};
	struct intel_list *l;
	struct indicator i = only("10.0.0.0/8\n", &o, &l);
	assert_true(i.is_allow);
	intel_list_put(l);
}

static void old_indicators_are_left_out(void **)
{
	struct feed_options o = {.name = "f", .max_age_sec = 30 * 86400};
	static const char text[] =
		"indicator,last_seen\n198.51.100.7,2025-11-20\n198.51.100.8,2025-01-01\n";
	struct feed_report r;
	struct intel_list *l;
	assert_int_equal(feed_parse(&o, text, strlen(text), NOW_NS, &l, &r), 0);
	assert_int_equal(l->n, 1);
	assert_int_equal(r.expired, 1);
	intel_list_put(l);
}

// Empty, very long, binary, and more than the limit: counted and shown, the rest is there.
static void bad_lines_spoil_nothing_else(void **)
{
	struct feed_options o = {.name = "f", .max_items = 3};
	struct feed_report r;
	struct intel_list *l;
	size_t len = 0, cap = 3 << 20;
	char *text = malloc(cap);
	len += (size_t)sprintf(text, "198.51.100.1\n198.51.100.2\n\n");
	memset(text + len, 'x', 1 << 20);
	len += 1 << 20;
	text[len++] = '\n';
	for (int i = 0; i < 256; i++)
		text[len++] = (char)(i == '\n' ? 0 : i);
	len += (size_t)sprintf(text + len, "\n198.51.100.3\n198.51.100.4\n198.51.100.5\n");
	assert_int_equal(feed_parse(&o, text, len, NOW_NS, &l, &r), 0);
	assert_int_equal(l->n, 3);
	assert_int_equal(r.over_limit, 2);
	assert_int_equal(r.rejected, 2);
	assert_int_equal(r.n_rejects, 2);
	assert_int_equal(r.rejects[0].line, 4);
	assert_string_equal(r.rejects[0].why, "a line that is too long");
	assert_int_equal(r.rejects[1].line, 5);
	intel_list_put(l);
	free(text);
}

static void nothing_usable_is_an_error_and_an_empty_feed_is_not(void **)
{
	struct feed_options o = {.name = "f"};
	struct feed_report r;
	struct intel_list *l = NULL;
	static const char html[] = "<html><body>Not found</body></html>\n";
	assert_int_equal(feed_parse(&o, html, strlen(html), NOW_NS, &l, &r), -22);
	assert_null(r.format);
	assert_int_equal(feed_parse(&o, "# nothing today\n", 16, NOW_NS, &l, &r), 0);
	assert_int_equal(l->n, 0);
	intel_list_put(l);
	o.format = "no such format";
	assert_int_equal(feed_parse(&o, "198.51.100.7\n", 13, NOW_NS, &l, &r), -22);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(formats_are_recognised_and_read),
		cmocka_unit_test(a_feed_cut_anywhere_harms_nothing),
		cmocka_unit_test(what_a_feed_says_beats_the_defaults),
		cmocka_unit_test(a_victims_address_weighs_less),
		cmocka_unit_test(scales_are_brought_to_a_thousand),
		cmocka_unit_test(own_lists_keep_reserved_networks),
		cmocka_unit_test(old_indicators_are_left_out),
		cmocka_unit_test(bad_lines_spoil_nothing_else),
		cmocka_unit_test(nothing_usable_is_an_error_and_an_empty_feed_is_not),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
