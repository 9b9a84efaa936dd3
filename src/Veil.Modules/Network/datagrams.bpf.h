/* SPDX-License-Identifier: GPL-2.0-or-later */
/* UDP by the system calls that send and receive (SEND, RECEIVE), and the questions of DNS with their answers (DNS). */
#pragma once

#define EINTR  4
#define EAGAIN 11

#define MSG_PEEK     0x2 /* include/linux/socket.h */
#define MSG_ERRQUEUE 0x2000

#define MESSAGES_MAX 1024 /* UIO_MAXIOV: of one sendmmsg() or recvmmsg() */
#define DNS_PORT     53
#define DNS_NAME_MAX 256 /* RFC 1035: at most 255 bytes */
#define DNS_HEAD     12
#define DNS_READ     512

const volatile bool network_sees_datagrams;
const volatile bool network_sees_dns;

/* User memory, as 64-bit programs have it: how a struct msghdr begins. */
struct network_message {
	__u64 name;
	__u64 name_size;
	__u64 pieces;
	__u64 pieces_count;
};

#define MMSGHDR_BYTES 64
#define MMSGHDR_LEN   56 /* where a struct mmsghdr has what was sent or received */

struct network_piece {
	__u64 base;
	__u64 size;
};

struct network_address {
	__u16 family;
	__be16 port;
	__u8 v4[4];
	__u8 v6[16];
	__u32 scope;
};

/* A question is known by its socket and its number. */
struct network_question_key {
	__u64 sk;
	__u64 number;
};

struct network_question {
	__u64 asked_ns;
	struct veil_identity who;
	struct veil_origin origin;
	struct network_change change;
	__u32 type;
	__u32 name_size;
	__u8 name[DNS_NAME_MAX];
};

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 4096);
	__type(key, struct network_question_key);
	__type(value, struct network_question);
} network_asked SEC(".maps");

/* Too large for the stack. */
struct network_scratch {
	struct network_datagram_event datagram;
	struct network_address address;
	struct network_message message;
	struct network_question question;
	struct veil_draft draft;
	__u8 packet[DNS_READ];
};

/* One for what calls run, and one for iterators, which they may interrupt. */
struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, 2);
	__type(key, __u32);
	__type(value, struct network_scratch);
} network_scratch SEC(".maps");

/* ---- DNS ---- */

static __always_inline void network_dns_emit(struct network_scratch *dns, const struct network_question *question,
					     enum network_dns_answer answer, veil_some_number_t answers)
{
	struct network_dns_event *event;

	if ((veil_only_failed && answer == network_dns_answer__NOERROR) ||
	    !network_passes(network_evt__DNS, (__u32)question->change.sport << 16 | question->change.dport,
			    question->change.netns, 0) ||
	    veil_is_left_out())
		return;
	event = veil_draft_start(&dns->draft, sizeof(*event));
	veil_event_init_as(&event->common, network_dns_event_kind, &question->who);
	if (veil_origin_size)
		__builtin_memcpy(&dns->draft.bytes[sizeof(*event)], &question->origin, sizeof(question->origin));
	veil_stacks_check(&dns->draft.bytes[sizeof(*event)], &event->common);
	event->change = question->change;
	event->change.evt_type = network_evt__DNS;
	event->query_type = question->type;
	event->answer = answer;
	event->answers = answers;
	event->duration_ns = bpf_ktime_get_boot_ns() - question->asked_ns;
	veil_part_add(&dns->draft, &event->query, question->name, question->name_size & (DNS_NAME_MAX - 1));
	veil_draft_emit(&dns->draft);
}

static __always_inline __u8 network_byte(const __u8 *packet, __u64 at)
{
	veil_bound(at, DNS_READ - 1);
	return packet[at];
}

/* Bytes of the name that begins behind the head, without the empty label at its end. -1: it is none. */
static __always_inline int network_name_size(const __u8 *packet, __u32 size)
{
	__u32 at = DNS_HEAD;

	for (int label = 0; label < 128; label++) {
		__u8 length;

		if (at + 5 > size || at >= DNS_HEAD + DNS_NAME_MAX)
			return -1;
		length = network_byte(packet, at);
		if (!length)
			return at - DNS_HEAD;
		if (length > 63)
			return -1; /* a question points nowhere */
		at += length + 1;
	}
	return -1;
}

static __always_inline void network_dns_ask(struct network_scratch *dns, const struct network_question_key *key,
					    __u32 size)
{
	struct network_question *question = &dns->question, *old;
	int name_size = network_name_size(dns->packet, size);
	__u32 at;

	if (name_size < 0)
		return;
	at = DNS_HEAD + name_size + 1;
	question->type = network_byte(dns->packet, at) << 8 | network_byte(dns->packet, at + 1);
	question->name_size = name_size;
	__builtin_memcpy(question->name, dns->packet + DNS_HEAD, sizeof(question->name));
	old = bpf_map_lookup_elem(&network_asked, key);
	if (old) {
		/* Asked again, for want of an answer: it began when it was asked first. */
		if (old->type == question->type && old->name_size == question->name_size &&
		    *(__u64 *)old->name == *(__u64 *)question->name)
			return;
		network_dns_emit(dns, old, network_dns_answer__NONE, VEIL_SOME_NUMBER_NONE);
	}
	if (bpf_map_update_elem(&network_asked, key, question, BPF_ANY))
		veil_lost(VEIL_LOST_MAP_FULL);
}

/* Looks whether the datagram that network_datagram() has just described is a question or an answer. */
static __noinline void network_dns_look(struct sock *sk, __u64 data, __u64 size, bool sends)
{
	struct network_question_key key = {.sk = (__u64)sk};
	struct network_question *question;
	struct network_scratch *dns;
	__u32 zero = 0;

	dns = bpf_map_lookup_elem(&network_scratch, &zero);
	if (!dns || size < DNS_HEAD)
		return;
	if (size >= DNS_READ)
		size = DNS_READ - 1;
	veil_bound(size, DNS_READ - 1);
	if (bpf_probe_read_user(dns->packet, size, (void *)data)) {
		veil_lost(VEIL_LOST_READ_FAILED);
		return;
	}
	key.number = dns->packet[0] << 8 | dns->packet[1];
	if (sends) {
		if (dns->packet[2] & 0x80)
			return; /* an answer */
		dns->question.asked_ns = bpf_ktime_get_boot_ns();
		dns->question.change = dns->datagram.change;
		veil_identity_of_current(&dns->question.who);
		veil_task_origin(veil_current(), &dns->question.origin);
		network_dns_ask(dns, &key, size);
		return;
	}
	if (!(dns->packet[2] & 0x80))
		return;
	question = bpf_map_lookup_elem(&network_asked, &key);
	if (!question)
		return;
	network_dns_emit(dns, question, dns->packet[3] & 15, dns->packet[6] << 8 | dns->packet[7]);
	bpf_map_delete_elem(&network_asked, &key);
}

/* ---- SEND, RECEIVE ---- */

/* The other end, where the call names it: of a socket that is connected it need not. */
static __always_inline void network_name_peer(const struct network_address *address, struct network_change *change)
{
	if (address->family == network_family__IPv6) {
		__builtin_memcpy(change->daddr.bytes, address->v6, sizeof(address->v6));
		change->daddr.version = 6;
	} else if (change->daddr.version == 6) {
		__builtin_memset(change->daddr.bytes, 0, 10);
		change->daddr.bytes[10] = change->daddr.bytes[11] = 0xff;
		__builtin_memcpy(change->daddr.bytes + 12, address->v4, sizeof(address->v4));
	} else {
		__builtin_memcpy(change->daddr.bytes, address->v4, sizeof(address->v4));
	}
	change->dport = bpf_ntohs(address->port);
}

/*
 * One datagram of a task that passes. `name` is where in user memory the other end is, 0: nowhere; `data` where its
 * bytes are, 0: not in one piece. A global function, which the verifier walks once.
 */
__noinline int network_datagram(__u64 socket, __u64 name, __u64 data, __s64 ret, __u32 sends)
{
	enum network_evt evt = sends ? network_evt__SEND : network_evt__RECEIVE;
	struct network_datagram_event *event;
	struct sock *sk = (struct sock *)socket;
	struct network_address *address;
	struct network_scratch *scratch;
	struct network_change *change;
	__u32 error = ret < 0 ? -ret : 0, zero = 0;

	if (network_drops_udp)
		network_use(sk);
	if (!network_sees_datagrams && !network_sees_dns)
		return 0;
	if (error && !sends)
		name = 0; /* nobody has filled it in */
	scratch = bpf_map_lookup_elem(&network_scratch, &zero);
	if (!scratch)
		return 0;
	address = &scratch->address;
	__builtin_memset(address, 0, sizeof(*address));
	if (name && (bpf_probe_read_user(address, 16, (void *)name) ||
		     (address->family == network_family__IPv6 &&
		      bpf_probe_read_user(address, sizeof(*address), (void *)name)))) {
		veil_lost(VEIL_LOST_READ_FAILED);
		return 0;
	}
	change = &scratch->datagram.change;
	network_describe(sk, evt, network_state__UNKNOWN, network_state__UNKNOWN, network_sport(sk), network_dport(sk),
			 network_datagram_id(sk), change);
	if (address->family == network_family__IPv4 || address->family == network_family__IPv6)
		network_name_peer(address, change);
	if (network_sees_datagrams &&
	    network_passes(evt, (__u32)change->sport << 16 | change->dport, change->netns, error)) {
		event = veil_reserve(&scratch->datagram);
		if (event) {
			veil_event_init(&event->common, network_datagram_event_kind, veil_current());
			event->change = *change;
			event->bytes = error ? 0 : ret;
			event->errno = error ? ret : 0;
			veil_submit(event, sizeof(*event));
		}
	}
	return network_sees_dns && data && !error && (change->dport == DNS_PORT || (!sends && !change->dport));
}

/* The same, and what it asks or answers. One after the other: the memory of functions under way is little. */
static __always_inline void network_take_datagram(struct sock *sk, __u64 name, __u64 data, __s64 ret, __u32 sends)
{
	if (network_datagram((__u64)sk, name, data, ret, sends))
		network_dns_look(sk, data, ret, sends);
}

/* How a call says what it sends, or where it receives. */
enum network_call {
	NETWORK_CALL_NONE,
	NETWORK_CALL_BUFFER,  /* fd, data: read, write */
	NETWORK_CALL_PIECES,  /* fd, iovec: readv, writev */
	NETWORK_CALL_NAMED,   /* fd, data, size, flags, address: sendto, recvfrom */
	NETWORK_CALL_MESSAGE, /* fd, struct msghdr, flags */
	NETWORK_CALL_SEVERAL, /* fd, struct mmsghdr, count, flags */
	NETWORK_CALL_BINDS,   /* fd: who will receive by it, before the first packet */
	NETWORK_CALL_SENDS = 16,
};

/* Of 64-bit programs. */
static __always_inline __u32 network_call_of(__s32 nr)
{
	switch (nr) {
#if defined(__TARGET_ARCH_x86)
	case 0:
		return NETWORK_CALL_BUFFER;
	case 1:
		return NETWORK_CALL_BUFFER | NETWORK_CALL_SENDS;
	case 19:
		return NETWORK_CALL_PIECES;
	case 20:
		return NETWORK_CALL_PIECES | NETWORK_CALL_SENDS;
	case 44:
		return NETWORK_CALL_NAMED | NETWORK_CALL_SENDS;
	case 45:
		return NETWORK_CALL_NAMED;
	case 46:
		return NETWORK_CALL_MESSAGE | NETWORK_CALL_SENDS;
	case 47:
		return NETWORK_CALL_MESSAGE;
	case 49:
		return NETWORK_CALL_BINDS;
	case 299:
		return NETWORK_CALL_SEVERAL;
	case 307:
		return NETWORK_CALL_SEVERAL | NETWORK_CALL_SENDS;
#elif defined(__TARGET_ARCH_arm64)
	case 200:
		return NETWORK_CALL_BINDS;
	case 63:
		return NETWORK_CALL_BUFFER;
	case 64:
		return NETWORK_CALL_BUFFER | NETWORK_CALL_SENDS;
	case 65:
		return NETWORK_CALL_PIECES;
	case 66:
		return NETWORK_CALL_PIECES | NETWORK_CALL_SENDS;
	case 206:
		return NETWORK_CALL_NAMED | NETWORK_CALL_SENDS;
	case 207:
		return NETWORK_CALL_NAMED;
	case 211:
		return NETWORK_CALL_MESSAGE | NETWORK_CALL_SENDS;
	case 212:
		return NETWORK_CALL_MESSAGE;
	case 243:
		return NETWORK_CALL_SEVERAL;
	case 269:
		return NETWORK_CALL_SEVERAL | NETWORK_CALL_SENDS;
#endif
	default:
		return NETWORK_CALL_NONE;
	}
}

/* The only piece of a message. 0: it has several, or none that holds it. */
static __always_inline __u64 network_piece_at(__u64 pieces, __u64 count, __u64 bytes)
{
	struct network_piece piece;

	if (!pieces || !count || bpf_probe_read_user(&piece, sizeof(piece), (void *)pieces) || piece.size < bytes)
		return 0;
	return piece.base;
}

/* The message of that number. 0: there is none. */
__noinline int network_message_at(__u64 sk, __u64 messages, __u32 number, __s64 ret, __u32 sends)
{
	__u64 at = messages + (number == ~0U ? 0 : number * MMSGHDR_BYTES);
	struct network_scratch *scratch;
	struct network_message *message;
	__u32 bytes = 0, zero = 0;

	scratch = bpf_map_lookup_elem(&network_scratch, &zero);
	if (!scratch)
		return 0;
	message = &scratch->message;
	if (bpf_probe_read_user(message, sizeof(*message), (void *)at) ||
	    (number != ~0U && bpf_probe_read_user(&bytes, sizeof(bytes), (void *)(at + MMSGHDR_LEN)))) {
		veil_lost(VEIL_LOST_READ_FAILED);
		return 0;
	}
	if (number != ~0U && ret >= 0)
		ret = bytes;
	network_take_datagram((struct sock *)sk, (__u32)message->name_size ? message->name : 0,
			      network_piece_at(message->pieces, message->pieces_count, ret), ret, sends);
	return 1;
}

static __always_inline int network_call_end(__s32 nr, __u64 *args, long ret)
{
	__u32 call = network_call_of(nr), sends = call & NETWORK_CALL_SENDS;
	struct file *file;
	struct sock *sk;
	__u32 flags;

	file = veil_current_file(args[0]);
	sk = file ? network_sock_of(file) : NULL;
	/* Here, and not where a datagram is looked at: the memory of functions under way is little. */
	if (!sk || !network_has_protocol(sk, IPPROTO_UDP) || !veil_current_passes(false))
		return 0;
	call &= ~NETWORK_CALL_SENDS;
	if (call == NETWORK_CALL_BINDS) {
		if (network_drops_udp && !ret)
			network_use(sk);
		return 0;
	}
	flags = call == NETWORK_CALL_MESSAGE				     ? args[2]
		: call == NETWORK_CALL_NAMED || call == NETWORK_CALL_SEVERAL ? args[3]
									     : 0;
	/* Nothing was received, or it stays where it is. */
	if (!sends && (flags & (MSG_PEEK | MSG_ERRQUEUE) || ret == -EAGAIN || ret == -EINTR || veil_is_restart(-ret)))
		return 0;
	switch (call) {
	case NETWORK_CALL_NAMED:
		network_take_datagram(sk, args[4], args[1], ret, sends);
		return 0;
	case NETWORK_CALL_PIECES:
		network_take_datagram(sk, 0, network_piece_at(args[1], args[2], ret), ret, sends);
		return 0;
	case NETWORK_CALL_MESSAGE:
		network_message_at((__u64)sk, args[1], ~0U, ret, sends);
		return 0;
	case NETWORK_CALL_SEVERAL:
		for (__u32 i = 0; i < MESSAGES_MAX; i++) {
			if ((long)i >= ret && i)
				break;
			if (!network_message_at((__u64)sk, args[1], i, ret, sends))
				break;
		}
		return 0;
	default:
		network_take_datagram(sk, 0, args[1], ret, sends);
		return 0;
	}
}

static __always_inline bool network_is_call(__s32 nr)
{
	enum veil_arch arch;

	if (network_call_of(nr) == NETWORK_CALL_NONE)
		return false;
	arch = veil_syscall_arch(veil_current(), nr);
	return arch == VEIL_ARCH_X86_64 || arch == VEIL_ARCH_ARM64;
}

SEC("tp_btf/sys_exit")
int BPF_PROG(network_datagram_tp_btf, struct pt_regs *regs, long ret)
{
	__s32 nr = veil_syscall_nr_btf(regs);
	__u64 args[6];

	if (!network_is_call(nr))
		return 0;
	veil_syscall_args(veil_regs_plain, regs, VEIL_ARCH_X86_64, args);
	return network_call_end(nr, args, ret);
}

SEC("raw_tp/sys_exit")
int network_datagram_raw_tp(struct bpf_raw_tracepoint_args *ctx)
{
	void *regs = (void *)ctx->args[0];
	__s32 nr = veil_syscall_nr(regs);
	__u64 args[6];

	if (!network_is_call(nr))
		return 0;
	veil_syscall_args(veil_regs_core, regs, VEIL_ARCH_X86_64, args);
	return network_call_end(nr, args, ctx->args[1]);
}

/* ---- questions without an answer ---- */

#define DNS_PATIENCE_NS 10000000000ULL /* the longest that resolvers are known to wait */

static __always_inline int network_unanswered(struct bpf_iter__bpf_map_elem *ctx, __u64 patience_ns)
{
	struct network_question_key key;
	struct network_question *question;
	const void *entry = ctx->key;
	struct network_scratch *dns;
	__u32 own = 1;

	if (!entry)
		return 0;
	bpf_probe_read_kernel(&key, sizeof(key), entry);
	question = bpf_map_lookup_elem(&network_asked, &key);
	dns = bpf_map_lookup_elem(&network_scratch, &own);
	if (!question || !dns || bpf_ktime_get_boot_ns() - question->asked_ns < patience_ns)
		return 0;
	network_dns_emit(dns, question, network_dns_answer__NONE, VEIL_SOME_NUMBER_NONE);
	bpf_map_delete_elem(&network_asked, &key);
	return 0;
}

SEC("iter/bpf_map_elem")
int network_late_iter(struct bpf_iter__bpf_map_elem *ctx)
{
	return network_unanswered(ctx, DNS_PATIENCE_NS);
}

SEC("iter/bpf_map_elem")
int network_asked_iter(struct bpf_iter__bpf_map_elem *ctx)
{
	return network_unanswered(ctx, 0);
}
