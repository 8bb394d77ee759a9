/* SPDX-FileCopyrightText: 2026 The libwice authors */
/* SPDX-License-Identifier: Apache-2.0 */
#include "base/address.h"

#include <glib.h>
#include <string.h>

#include "engine/allowed_ips.h"
#include "suite.h"

/* Owners go by letters, "a" to "h" in tables. */
typedef struct {
	char letter;
	WiceAllowedIpsList list;
} Owner;

#define N_OWNERS 8

typedef struct {
	WiceAllowedIps *ips;
	Owner owners[N_OWNERS];
} Bed;

static void set_up(Bed *bed)
{
	*bed = (Bed){ .ips = wice__allowed_ips_new() };
	for (int i = 0; i < N_OWNERS; i++)
		bed->owners[i].letter = (char)('a' + i);
}

static void tear_down(Bed *bed)
{
	wice__allowed_ips_free(bed->ips);
}

static Owner *owner(Bed *bed, char letter)
{
	return &bed->owners[letter - 'a'];
}

/* With its host bits, unlike wice_prefix_parse(). */
static WicePrefix prefix(const char *text)
{
	WiceInterfaceAddress address;
	ck_assert_msg(wice_interface_address_parse(text, &address), "%s", text);
	return (WicePrefix){ address.address, address.length };
}

static void insert(Bed *bed, char letter, const char *text)
{
	WicePrefix what = prefix(text);
	Owner *who = owner(bed, letter);
	wice__allowed_ips_insert(bed->ips, &what, who, &who->list);
}

static void take_away(Bed *bed, char letter, const char *text)
{
	WicePrefix what = prefix(text);
	Owner *who = owner(bed, letter);
	wice__allowed_ips_remove(bed->ips, &what, who, &who->list);
}

static void clear(Bed *bed, char letter)
{
	wice__allowed_ips_clear(bed->ips, &owner(bed, letter)->list);
}

static const Owner *find(const WiceAllowedIps *ips, const WiceAddress *address)
{
	return address->family == WICE_FAMILY_IPV4 ? wice__allowed_ips_find4(ips, address->bytes)
						   : wice__allowed_ips_find6(ips, address->bytes);
}

/* '-': nobody. */
static void expect(Bed *bed, char letter, const char *text)
{
	WiceAddress address;
	ck_assert_msg(wice_address_parse(text, &address), "%s", text);
	const Owner *found = find(bed->ips, &address);
	ck_assert_msg((found ? found->letter : '-') == letter, "%s: %c, not %c", text,
		      found ? found->letter : '-', letter);
}

static void write_one(const WicePrefix *what, void *user_data)
{
	char text[WICE_PREFIX_SIZE];
	GString *all = user_data;
	g_string_append_printf(all, "%s%s", all->len ? " " : "", wice_prefix_format(what, text));
}

static void expect_list(Bed *bed, char letter, const char *expected)
{
	g_autoptr(GString) all = g_string_new(NULL);
	wice__allowed_ips_foreach(&owner(bed, letter)->list, write_one, all);
	ck_assert_str_eq(all->str, expected);
	size_t n = *expected ? 1 : 0;
	for (const char *at = expected; (at = strchr(at, ' ')); at++)
		n++;
	ck_assert_uint_eq(owner(bed, letter)->list.n, n);
}

typedef struct {
	char letter;
	const char *text;
} Line;

static const Line inserted[] = {
	{ 'a', "192.168.4.0/24" },
	{ 'b', "192.168.4.4/32" },
	{ 'c', "192.168.0.0/16" },
	{ 'd', "192.95.5.64/27" },
	{ 'c', "192.95.5.65/27" }, /* the same again, with a host bit */
	{ 'd', "2607:5300:6000:6b00::c05f:543/128" },
	{ 'c', "2607:5300:6000:6b00::/64" },
	{ 'e', "0.0.0.0/0" },
	{ 'e', "::/0" },
	{ 'f', "::/0" },
	{ 'g', "2404:6800::/32" },
	{ 'h', "2404:6800:4004:800:dead:beef:dead:beef/64" },
	{ 'a', "2404:6800:4004:800:dead:beef:dead:beef/128" },
	{ 'c', "2444:6800:40e4:800:deae:beef:def:beef/128" },
	{ 'b', "2444:6800:f0e4:800:eeae:beef::/98" },
	{ 'g', "64.15.112.0/20" },
	{ 'h', "64.15.123.211/25" },
	{ 'a', "10.0.0.0/25" },
	{ 'b', "10.0.0.128/25" },
	{ 'a', "10.1.0.0/30" },
	{ 'b', "10.1.0.4/30" },
	{ 'c', "10.1.0.8/29" },
	{ 'd', "10.1.0.16/29" },
};

static const Line found[] = {
	{ 'a', "192.168.4.20" },
	{ 'a', "192.168.4.0" },
	{ 'b', "192.168.4.4" },
	{ 'c', "192.168.200.182" },
	{ 'c', "192.95.5.68" },
	{ 'e', "192.95.5.96" },
	{ 'd', "2607:5300:6000:6b00::c05f:543" },
	{ 'c', "2607:5300:6000:6b00::c02e:1ee" },
	{ 'f', "2607:5300:6000:6b01::" },
	{ 'g', "2404:6800:4004:806::1006" },
	{ 'g', "2404:6800:4004:806:0:1234:0:5678" },
	{ 'f', "2404:67ff:4004:806:0:1234:0:5678" },
	{ 'f', "2404:6801:4004:806:0:1234:0:5678" },
	{ 'h', "2404:6800:4004:800:0:1234:0:5678" },
	{ 'h', "2404:6800:4004:800::" },
	{ 'h', "2404:6800:4004:800:1010:1010:1010:1010" },
	{ 'a', "2404:6800:4004:800:dead:beef:dead:beef" },
	{ 'g', "64.15.116.26" },
	{ 'g', "64.15.127.3" },
	{ 'g', "64.15.123.1" },
	{ 'h', "64.15.123.128" },
	{ 'h', "64.15.123.129" },
	{ 'a', "10.0.0.52" },
	{ 'b', "10.0.0.220" },
	{ 'a', "10.1.0.2" },
	{ 'b', "10.1.0.6" },
	{ 'c', "10.1.0.10" },
	{ 'd', "10.1.0.20" },
	{ 'e', "255.255.255.255" },
	{ 'f', "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff" },
};

START_TEST(finds_the_longest_prefix)
{
	Bed bed;
	set_up(&bed);
	expect(&bed, '-', "192.168.4.20");
	expect(&bed, '-', "::1");
	for (size_t i = 0; i < G_N_ELEMENTS(inserted); i++)
		insert(&bed, inserted[i].letter, inserted[i].text);
	for (size_t i = 0; i < G_N_ELEMENTS(found); i++)
		expect(&bed, found[i].letter, found[i].text);
	tear_down(&bed);
}
END_TEST

/* The order of insertion makes no difference. */
START_TEST(finds_it_in_any_order)
{
	for (uint32_t seed = 0; seed < 200; seed++) {
		g_autoptr(GRand) rand = g_rand_new_with_seed(seed);
		size_t order[G_N_ELEMENTS(inserted)];
		Bed bed;
		set_up(&bed);
		for (size_t i = 0; i < G_N_ELEMENTS(order); i++) {
			size_t j = (size_t)g_rand_int_range(rand, 0, (gint32)i + 1);
			order[i] = order[j];
			order[j] = i;
		}
		for (size_t i = 0; i < G_N_ELEMENTS(order); i++)
			insert(&bed, inserted[order[i]].letter, inserted[order[i]].text);
		insert(&bed, 'c', "192.95.5.64/27");
		insert(&bed, 'f', "::/0");
		for (size_t i = 0; i < G_N_ELEMENTS(found); i++)
			expect(&bed, found[i].letter, found[i].text);
		tear_down(&bed);
	}
}
END_TEST

START_TEST(clears_one_owner)
{
	static const char *const single[] = { "1.0.0.0", "64.0.0.0", "128.0.0.0", "192.0.0.0",
					      "255.0.0.0" };
	Bed bed;
	set_up(&bed);
	for (size_t i = 0; i < G_N_ELEMENTS(inserted); i++)
		insert(&bed, inserted[i].letter, inserted[i].text);
	for (size_t i = 0; i < G_N_ELEMENTS(single); i++) {
		insert(&bed, 'a', single[i]);
		expect(&bed, 'a', single[i]);
	}
	clear(&bed, 'a');
	expect_list(&bed, 'a', "");
	for (size_t i = 0; i < G_N_ELEMENTS(single); i++)
		expect(&bed, 'e', single[i]);
	expect(&bed, 'c', "192.168.4.20");
	expect(&bed, 'b', "192.168.4.4");
	expect(&bed, 'h', "2404:6800:4004:800:dead:beef:dead:beef");
	clear(&bed, 'a');
	for (char letter = 'a'; letter <= 'h'; letter++)
		clear(&bed, letter);
	for (size_t i = 0; i < G_N_ELEMENTS(found); i++)
		expect(&bed, '-', found[i].text);

	insert(&bed, 'a', "192.168.0.0/16");
	insert(&bed, 'a', "192.168.0.0/24");
	clear(&bed, 'a');
	expect(&bed, '-', "192.168.0.1");
	tear_down(&bed);
}
END_TEST

START_TEST(removes_one_prefix)
{
	Bed bed;
	set_up(&bed);
	insert(&bed, 'a', "10.0.0.0/8");
	insert(&bed, 'b', "10.0.0.0/16");
	insert(&bed, 'c', "10.128.0.0/16");
	/* Not its, not there, shorter, longer, another family: nothing happens. */
	take_away(&bed, 'b', "10.0.0.0/8");
	take_away(&bed, 'a', "10.0.0.0/9");
	take_away(&bed, 'a', "10.0.0.0/7");
	take_away(&bed, 'a', "11.0.0.0/8");
	take_away(&bed, 'a', "a00::/8");
	expect(&bed, 'a', "10.1.0.1");
	expect(&bed, 'b', "10.0.0.1");

	take_away(&bed, 'a',
		  "10.9.9.9/8"); /* host bits do not count; two are below: a fork stays */
	expect(&bed, '-', "10.1.0.1");
	expect(&bed, 'b', "10.0.0.1");
	expect(&bed, 'c', "10.128.0.1");
	insert(&bed, 'd', "10.0.0.0/8"); /* and becomes a prefix again */
	expect(&bed, 'd', "10.1.0.1");
	take_away(&bed, 'b', "10.0.0.0/16");
	expect(&bed, 'd', "10.0.0.1");
	take_away(&bed, 'd', "10.0.0.0/8");
	take_away(&bed, 'c', "10.128.0.0/16");
	expect(&bed, '-', "10.128.0.1");
	tear_down(&bed);
}
END_TEST

START_TEST(moves_between_owners)
{
	Bed bed;
	set_up(&bed);
	insert(&bed, 'a', "10.0.0.0/8");
	insert(&bed, 'a', "10.1.0.0/16");
	insert(&bed, 'a', "fd00::/8");
	insert(&bed, 'b', "192.0.2.0/24");
	insert(&bed, 'b', "10.1.0.0/16");
	expect_list(&bed, 'a', "10.0.0.0/8 fd00::/8");
	expect_list(&bed, 'b', "192.0.2.0/24 10.1.0.0/16");
	expect(&bed, 'b', "10.1.2.3");
	insert(&bed, 'a', "10.1.0.0/16");
	expect_list(&bed, 'a', "10.0.0.0/8 fd00::/8 10.1.0.0/16");
	expect_list(&bed, 'b', "192.0.2.0/24");
	clear(&bed, 'b');
	expect(&bed, 'a', "10.1.2.3");
	tear_down(&bed);
}
END_TEST

START_TEST(lists_in_the_order_of_insertion)
{
	Bed bed;
	set_up(&bed);
	insert(&bed, 'a', "192.95.5.93/27");
	insert(&bed, 'a', "2607:5300:6000:6b00::c05f:543/128");
	insert(&bed, 'a', "10.1.0.20/29");
	insert(&bed, 'b', "10.1.0.20/30");
	insert(&bed, 'a', "2607:5300:6d8a:6bf8:dab1:f1df:c05f:1523/83");
	insert(&bed, 'a', "2607:5300:6d8a:6bf8:dab1:f1df:c05f:1523/21");
	insert(&bed, 'a', "192.95.5.64/27"); /* it has it: its place stays */
	expect_list(&bed, 'a',
		    "192.95.5.64/27 2607:5300:6000:6b00::c05f:543/128 10.1.0.16/29 "
		    "2607:5300:6d8a:6bf8:dab1:e000::/83 2607:5000::/21");
	take_away(&bed, 'a', "10.1.0.16/29");   /* from the middle */
	take_away(&bed, 'a', "192.95.5.64/27"); /* the front */
	take_away(&bed, 'a', "2607:5000::/21"); /* the end */
	expect_list(&bed, 'a',
		    "2607:5300:6000:6b00::c05f:543/128 2607:5300:6d8a:6bf8:dab1:e000::/83");
	insert(&bed, 'a', "0.0.0.0/0");
	expect_list(&bed, 'a',
		    "2607:5300:6000:6b00::c05f:543/128 "
		    "2607:5300:6d8a:6bf8:dab1:e000::/83 0.0.0.0/0");
	tear_down(&bed);
}
END_TEST

static WicePrefix full6(const uint8_t bytes[16])
{
	WicePrefix result = { .address.family = WICE_FAMILY_IPV6, .length = 128 };
	memcpy(result.address.bytes, bytes, 16);
	return result;
}

/* The deepest tries: one fork per bit, and one prefix per length. */
START_TEST(is_128_deep)
{
	Bed bed;
	set_up(&bed);
	Owner *who = owner(&bed, 'a');
	for (unsigned i = 0; i < 128; i++) {
		uint8_t bytes[16];
		memset(bytes, 0xff, sizeof bytes);
		bytes[i / 8] &= (uint8_t) ~(0x80u >> i % 8);
		WicePrefix what = full6(bytes);
		wice__allowed_ips_insert(bed.ips, &what, who, &who->list);
	}
	ck_assert_uint_eq(who->list.n, 128);
	expect(&bed, 'a', "7fff:ffff:ffff:ffff:ffff:ffff:ffff:ffff");
	expect(&bed, 'a', "ffff:ffff:ffff:ffff:ffff:ffff:ffff:fffe");
	expect(&bed, '-', "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff");
	clear(&bed, 'a');
	expect(&bed, '-', "7fff:ffff:ffff:ffff:ffff:ffff:ffff:ffff");

	for (unsigned length = 0; length <= 128; length++) {
		WicePrefix what = { .address.family = WICE_FAMILY_IPV6, .length = (uint8_t)length };
		who = &bed.owners[length % 2];
		wice__allowed_ips_insert(bed.ips, &what, who, &who->list);
	}
	expect(&bed, 'a', "::");
	expect(&bed, 'b', "::1");
	expect(&bed, 'a', "::2");
	expect(&bed, 'a', "8000::");
	expect(&bed, 'b', "4000::");
	tear_down(&bed); /* with all of them in it */
}
END_TEST

/* What a trie is compared with: a list, searched from end to end. */
typedef struct {
	WicePrefix prefix;
	Owner *owner;
} Entry;

static guint naive_index(const GArray *list, const WicePrefix *what)
{
	for (guint i = 0; i < list->len; i++)
		if (wice_prefix_compare(&g_array_index(list, Entry, i).prefix, what) == 0)
			return i;
	return list->len;
}

static void naive_remove(GArray *list, const WicePrefix *what, const Owner *who)
{
	guint i = naive_index(list, what);
	if (i < list->len && g_array_index(list, Entry, i).owner == who)
		g_array_remove_index(list, i);
}

static void naive_insert(GArray *list, const WicePrefix *what, Owner *who)
{
	guint i = naive_index(list, what);
	if (i < list->len && g_array_index(list, Entry, i).owner == who)
		return;
	if (i < list->len)
		g_array_remove_index(list, i);
	Entry entry = { *what, who };
	g_array_append_val(list, entry);
}

static void naive_clear(GArray *list, const Owner *who)
{
	for (guint i = list->len; i-- > 0;)
		if (g_array_index(list, Entry, i).owner == who)
			g_array_remove_index(list, i);
}

static const Owner *naive_find(const GArray *list, const WiceAddress *address)
{
	const Entry *best = NULL;
	for (guint i = 0; i < list->len; i++) {
		const Entry *entry = &g_array_index(list, Entry, i);
		if (wice_prefix_contains(&entry->prefix, address) &&
		    (!best || entry->prefix.length > best->prefix.length))
			best = entry;
	}
	return best ? best->owner : NULL;
}

static char *naive_list(const GArray *list, const Owner *who)
{
	GString *all = g_string_new(NULL);
	for (guint i = 0; i < list->len; i++)
		if (g_array_index(list, Entry, i).owner == who)
			write_one(&g_array_index(list, Entry, i).prefix, all);
	return g_string_free(all, FALSE);
}

/* Few different bits, so that prefixes meet: bytes of all zeros, all ones or one bit. */
static WiceAddress random_address(GRand *rand)
{
	static const uint8_t bytes[] = { 0, 0, 0xff, 0x80, 1, 0x10 };
	WiceAddress address = { .family = g_rand_boolean(rand) ? WICE_FAMILY_IPV4
							       : WICE_FAMILY_IPV6 };
	for (int i = 0; i < (address.family == WICE_FAMILY_IPV4 ? 4 : 16); i++)
		address.bytes[i] = bytes[g_rand_int_range(rand, 0, G_N_ELEMENTS(bytes))];
	return address;
}

static WicePrefix random_prefix(GRand *rand)
{
	WicePrefix result = { .address = random_address(rand) };
	int bits = result.address.family == WICE_FAMILY_IPV4 ? 32 : 128;
	result.length = (uint8_t)g_rand_int_range(rand, 0, bits + 1);
	wice__prefix_clear_host_bits(&result);
	return result;
}

static void random_step(Bed *bed, GArray *naive, GRand *rand)
{
	Owner *who = &bed->owners[g_rand_int_range(rand, 0, N_OWNERS)];
	int what = g_rand_int_range(rand, 0, 100);
	WicePrefix some = random_prefix(rand);
	if (what < 30 && naive->len) /* one that is there */
		some = g_array_index(naive, Entry,
				     (guint)g_rand_int_range(rand, 0, (gint32)naive->len))
			       .prefix;
	if (what == 99) {
		wice__allowed_ips_clear(bed->ips, &who->list);
		naive_clear(naive, who);
	} else if (what % 3 == 0) {
		wice__allowed_ips_remove(bed->ips, &some, who, &who->list);
		naive_remove(naive, &some, who);
	} else {
		wice__allowed_ips_insert(bed->ips, &some, who, &who->list);
		naive_insert(naive, &some, who);
	}
}

START_TEST(agrees_with_a_naive_list)
{
	for (uint32_t seed = 1; seed <= 60; seed++) {
		g_autoptr(GRand) rand = g_rand_new_with_seed(seed);
		g_autoptr(GArray) naive = g_array_new(FALSE, FALSE, sizeof(Entry));
		Bed bed;
		set_up(&bed);
		for (int i = 0; i < 1000; i++) {
			random_step(&bed, naive, rand);
			WiceAddress address = random_address(rand);
			ck_assert_msg(find(bed.ips, &address) == naive_find(naive, &address),
				      "seed %u step %d", seed, i);
		}
		for (char letter = 'a'; letter <= 'h'; letter++) {
			g_autofree char *expected = naive_list(naive, owner(&bed, letter));
			expect_list(&bed, letter, expected);
		}
		tear_down(&bed);
	}
}
END_TEST

#define MANY 100000

static WicePrefix numbered(unsigned i)
{
	WicePrefix result = { .length = i % 2 ? 128 : 32 };
	uint32_t bits = GUINT32_TO_BE(i / 2);
	result.address.family = i % 2 ? WICE_FAMILY_IPV6 : WICE_FAMILY_IPV4;
	memcpy(result.address.bytes, &bits, sizeof bits);
	return result;
}

START_TEST(holds_100000)
{
	Bed bed;
	set_up(&bed);
	for (unsigned i = 0; i < MANY; i++) {
		WicePrefix what = numbered(i);
		Owner *who = &bed.owners[i % N_OWNERS];
		wice__allowed_ips_insert(bed.ips, &what, who, &who->list);
	}
	for (unsigned i = 0; i < MANY; i++) {
		WicePrefix what = numbered(i);
		ck_assert(find(bed.ips, &what.address) == &bed.owners[i % N_OWNERS]);
	}
	expect(&bed, '-', "0.0.195.80"); /* 50,000 */
	for (char letter = 'a'; letter <= 'h'; letter++) {
		ck_assert_uint_eq(owner(&bed, letter)->list.n, MANY / N_OWNERS);
		clear(&bed, letter);
	}
	expect(&bed, '-', "0.0.0.1");
	tear_down(&bed);
}
END_TEST

SUITE_MAIN("engine allowed IPs", finds_the_longest_prefix, finds_it_in_any_order, clears_one_owner,
	   removes_one_prefix, moves_between_owners, lists_in_the_order_of_insertion, is_128_deep,
	   agrees_with_a_naive_list, holds_100000)
