/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What happens to packets: RETRANSMIT, RESET, DROP. Most of it in interrupts, where the running task is a stranger. */
#pragma once

/* kfree_skb has the socket that was to receive the packet from 6.11 on (commit c53795d48ee8). */
const volatile bool network_drop_has_socket;

/* An argument that older kernels do not have. Assembly, because the compiler would read it before it is asked for. */
#define network_late_argument(ctx, offset)                                                                             \
	({                                                                                                             \
		__u64 argument_;                                                                                       \
		asm volatile("%0 = *(u64 *)(%1 + " #offset ")" : "=r"(argument_) : "r"(ctx));                          \
		argument_;                                                                                             \
	})

/* One of TIME_WAIT, or of a handshake, has only what struct sock_common has. */
static __always_inline bool network_is_full(struct sock *sk)
{
	__u8 state = BPF_CORE_READ(sk, __sk_common.skc_state);

	return state != STATE(TIME_WAIT) && state != STATE(NEW_SYN_RECV);
}

/* Whose it is; the running task's only where it holds the socket's lock, as in network_state_change(). */
static __always_inline void network_identify(struct sock *sk, struct veil_identity *who)
{
	bool is_full = sk && network_is_full(sk);

	if (is_full && network_find_owner(sk, who))
		return;
	if (is_full && BPF_CORE_READ(sk, sk_lock.owned) && network_acts_for_itself(sk)) {
		veil_identity_of_current(who);
		return;
	}
	network_set_nobody(sk, who);
	if (!is_full)
		who->uid = VEIL_UID_UNKNOWN;
}

/* The record of a TCP socket, made where it was there before the trace. */
static __always_inline struct network_socket *network_find_or_remember(struct sock *sk)
{
	struct network_socket *socket = network_find(sk);

	if (socket || !network_is_full(sk) || BPF_CORE_READ(sk, __sk_common.skc_state) == STATE(CLOSE))
		return socket;
	return network_remember(sk);
}

static __always_inline __u64 network_id_of(struct sock *sk, __u64 cookie)
{
	return network_is_full(sk) ? network_id(sk, network_find_or_remember(sk), cookie) : 0;
}

/* A packet, by its own headers. */
struct network_packet {
	__u64 addresses; /* where the source's begins; the destination's follows */
	__u32 bytes;	 /* payload */
	__u16 family;
	__u16 protocol;
	__u16 source, dest; /* ports */
	__u32 netns;
	bool incoming;
};

/* False: it is neither TCP nor UDP, or its headers are not there. */
static __noinline bool network_parse(struct sk_buff *skb, struct network_packet *packet)
{
	__u64 head = (__u64)BPF_CORE_READ(skb, head);
	__u32 network = BPF_CORE_READ(skb, network_header), header;
	__u16 protocol = bpf_ntohs(BPF_CORE_READ(skb, protocol));
	struct {
		__u8 bytes[12];
	} ip;
	__be16 ports[2];
	__u8 offset = 0;
	int bytes;

	if ((protocol != ETH_P_IP && protocol != ETH_P_IPV6) ||
	    bpf_probe_read_kernel(&ip, sizeof(ip), (void *)(head + network)))
		return false;
	if (protocol == ETH_P_IP) {
		packet->family = network_family__IPv4;
		packet->protocol = ip.bytes[9];
		packet->addresses = head + network + 12;
		header = network + (ip.bytes[0] & 15) * 4;
		/* Of a fragment only the first has ports. */
		if ((ip.bytes[6] & 0x1f) | ip.bytes[7])
			return false;
	} else {
		packet->family = network_family__IPv6;
		packet->protocol = ip.bytes[6];
		packet->addresses = head + network + 8;
		header = network + 40;
	}
	if ((packet->protocol != IPPROTO_TCP && packet->protocol != IPPROTO_UDP) ||
	    bpf_probe_read_kernel(ports, sizeof(ports), (void *)(head + header)))
		return false;
	packet->source = bpf_ntohs(ports[0]);
	packet->dest = bpf_ntohs(ports[1]);
	if (packet->protocol == IPPROTO_TCP)
		bpf_probe_read_kernel(&offset, sizeof(offset), (void *)(head + header + 12));
	/* What was taken off the front already no longer counts in skb->len. */
	header += packet->protocol == IPPROTO_TCP ? (offset >> 4) * 4 : 8;
	bytes = BPF_CORE_READ(skb, len) + (__u32)((__u64)BPF_CORE_READ(skb, data) - head) - header;
	packet->bytes = bytes > 0 ? bytes : 0;
	packet->netns = BPF_CORE_READ(skb, dev, nd_net.net, ns.inum);
	packet->incoming = BPF_CORE_READ(skb, skb_iif) != 0;
	return true;
}

static __always_inline void network_describe_packet(const struct network_packet *packet, enum network_evt evt,
						    int state, __u64 id, __u32 netns, struct network_change *change)
{
	__u32 size = packet->family == network_family__IPv4 ? 4 : 16;
	__u64 own = packet->addresses + (packet->incoming ? size : 0);
	__u64 other = packet->addresses + (packet->incoming ? 0 : size);

	change->evt_type = evt;
	change->family = packet->family;
	change->oldstate = change->newstate = state;
	change->socket_id = id;
	change->netns = netns;
	change->sport = packet->incoming ? packet->dest : packet->source;
	change->dport = packet->incoming ? packet->source : packet->dest;
	__builtin_memset(&change->saddr, 0, sizeof(change->saddr));
	__builtin_memset(&change->daddr, 0, sizeof(change->daddr));
	if (size == 4) {
		change->saddr.version = change->daddr.version = 4;
		bpf_probe_read_kernel(change->saddr.bytes, 4, (void *)own);
		bpf_probe_read_kernel(change->daddr.bytes, 4, (void *)other);
	} else {
		change->saddr.version = change->daddr.version = 6;
		bpf_probe_read_kernel(change->saddr.bytes, 16, (void *)own);
		bpf_probe_read_kernel(change->daddr.bytes, 16, (void *)other);
	}
}

static __always_inline bool network_packet_passes(const struct network_packet *packet, enum network_evt evt,
						  __u32 netns)
{
	return network_passes(evt, (__u32)packet->source << 16 | packet->dest, netns, 0);
}

/* ---- RETRANSMIT ---- */

/* `of` describes the connection: the socket, or while the handshake is on what the kernel has of it. */
static __always_inline int network_retransmit(struct sock *sk, struct sock *of, __u32 bytes, __u64 cookie)
{
	__u16 sport = sk == of ? network_sport(of) : BPF_CORE_READ(of, __sk_common.skc_num);
	__u16 dport = network_dport(of);
	struct network_retransmit_event counted, *event;
	struct veil_identity who;
	int state;

	if (!network_is_tcp(sk))
		return 0;
	network_identify(sk, &who);
	if (!network_task_passes(sk, &who) || !network_passes_of(of, network_evt__RETRANSMIT, sport, dport, 0))
		return 0;
	event = veil_reserve_as(&counted, &who.uid);
	if (!event)
		return 0;
	veil_event_init_as(&event->common, network_retransmit_event_kind, &who);
	state = sk == of ? BPF_CORE_READ(of, __sk_common.skc_state) : STATE(NEW_SYN_RECV);
	network_describe(of, network_evt__RETRANSMIT, state, state, sport, dport,
			 sk == of ? network_id_of(sk, cookie) : 0, &event->change);
	event->bytes = bytes;
	veil_submit_as(event, sizeof(*event), network_origin_of(sk, &who));
	return 0;
}

SEC("tp_btf/tcp_retransmit_skb")
int BPF_PROG(network_retransmit_tp_btf, struct sock *sk, struct sk_buff *skb)
{
	return network_retransmit(sk, sk, BPF_CORE_READ(skb, len), network_cookies ? bpf_get_socket_cookie(sk) : 0);
}

SEC("raw_tp/tcp_retransmit_skb")
int network_retransmit_raw_tp(struct bpf_raw_tracepoint_args *ctx)
{
	struct sock *sk = (struct sock *)ctx->args[0];

	return network_retransmit(sk, sk, BPF_CORE_READ((struct sk_buff *)ctx->args[1], len), 0);
}

SEC("tp_btf/tcp_retransmit_synack")
int BPF_PROG(network_synack_tp_btf, struct sock *sk, struct sock *request)
{
	return network_retransmit(sk, request, 0, 0);
}

SEC("raw_tp/tcp_retransmit_synack")
int network_synack_raw_tp(struct bpf_raw_tracepoint_args *ctx)
{
	return network_retransmit((struct sock *)ctx->args[0], (struct sock *)ctx->args[1], 0, 0);
}

/* ---- RESET ---- */

/* `sk` NULL: a packet came for which there is no socket. */
static __always_inline int network_reset(struct sock *sk, struct sk_buff *skb, enum network_side by, __u32 reason,
					 __u64 cookie)
{
	struct network_reset_event counted, *event;
	struct network_packet packet = {};
	struct veil_identity who;
	__u16 sport = 0, dport = 0;
	int state;

	if (sk) {
		sport = network_is_full(sk) ? network_sport(sk) : BPF_CORE_READ(sk, __sk_common.skc_num);
		dport = network_dport(sk);
	} else {
		if (!skb || !network_parse(skb, &packet))
			return 0;
		packet.incoming = true;
	}
	network_identify(sk, &who);
	if (!network_task_passes(sk, &who) || !(sk ? network_passes_of(sk, network_evt__RESET, sport, dport, 0)
						   : network_packet_passes(&packet, network_evt__RESET, packet.netns)))
		return 0;
	event = veil_reserve_as(&counted, &who.uid);
	if (!event)
		return 0;
	veil_event_init_as(&event->common, network_reset_event_kind, &who);
	if (sk) {
		state = BPF_CORE_READ(sk, __sk_common.skc_state);
		network_describe(sk, network_evt__RESET, state, state, sport, dport, network_id_of(sk, cookie),
				 &event->change);
	} else {
		network_describe_packet(&packet, network_evt__RESET, network_state__UNKNOWN, 0, packet.netns,
					&event->change);
	}
	event->reset_by = by;
	event->reason.set = reason ? VEIL_REASON_RESET : VEIL_REASON_NONE;
	event->reason.number = reason;
	veil_submit_as(event, sizeof(*event), network_origin_of(sk, &who));
	return 0;
}

/* The reason is there from 6.10 on (commit b533fb9cf4f7). 0 is none. */
#define network_reset_reason(ctx)                                                                                      \
	(bpf_core_type_exists(enum sk_rst_reason___exists) ? (__u32)network_late_argument(ctx, 16) : 0)

enum sk_rst_reason___exists {
	SK_RST_REASON_NOT_SPECIFIED___exists,
};

SEC("tp_btf/tcp_send_reset")
int network_reset_tp_btf(__u64 *ctx)
{
	/* No cookie: `sk` may be no full socket. */
	return network_reset((struct sock *)ctx[0], (struct sk_buff *)ctx[1], network_side__local,
			     network_reset_reason(ctx), 0);
}

SEC("raw_tp/tcp_send_reset")
int network_reset_raw_tp(struct bpf_raw_tracepoint_args *ctx)
{
	return network_reset((struct sock *)ctx->args[0], (struct sk_buff *)ctx->args[1], network_side__local,
			     network_reset_reason(ctx), 0);
}

SEC("tp_btf/tcp_receive_reset")
int BPF_PROG(network_was_reset_tp_btf, struct sock *sk)
{
	return network_reset(sk, NULL, network_side__remote, 0, network_cookies ? bpf_get_socket_cookie(sk) : 0);
}

SEC("raw_tp/tcp_receive_reset")
int network_was_reset_raw_tp(struct bpf_raw_tracepoint_args *ctx)
{
	return network_reset((struct sock *)ctx->args[0], NULL, network_side__remote, 0, 0);
}

/* ---- DROP ---- */

/* A socket of the packet's own protocol, in full. */
static __always_inline bool network_has_protocol(struct sock *sk, __u16 protocol)
{
	__u16 family = BPF_CORE_READ(sk, __sk_common.skc_family);

	return (family == network_family__IPv4 || family == network_family__IPv6) && network_is_full(sk) &&
	       BPF_CORE_READ(sk, sk_protocol) == protocol;
}

/* Who used a socket of UDP last: none is asked to hold it when it gets a packet. */
const volatile bool network_drops_udp;

struct network_user {
	__u64 inode; /* of the socket, as its address may be another's later */
	struct veil_identity who;
	struct veil_origin origin;
};

struct {
	__uint(type, BPF_MAP_TYPE_LRU_HASH);
	__uint(max_entries, 8192);
	__type(key, __u64);
	__type(value, struct network_user);
} network_users SEC(".maps");

static __always_inline __u64 network_inode(struct sock *sk)
{
	struct socket_alloc *made = (struct socket_alloc *)BPF_CORE_READ(sk, sk_socket);

	return BPF_CORE_READ(made, vfs_inode.i_ino);
}

/* A cookie that somebody had the kernel make, or a number of our own out of the socket's inode, as ss shows it. */
static __always_inline __u64 network_datagram_id(struct sock *sk)
{
	__u64 cookie = BPF_CORE_READ(sk, __sk_common.skc_cookie.counter);

	return cookie ? cookie : 1ULL << 52 | network_inode(sk);
}

const volatile struct network_user network_no_user;

/* Written in place, for the stack of whoever calls it is nearly used up; without an inode meanwhile it is nobody's. */
static __noinline void network_use(struct sock *sk)
{
	struct network_user *user;
	__u64 address = (__u64)sk;

	user = veil_value_of(&network_users, &address, &network_no_user);
	if (!user)
		return;
	user->inode = 0;
	veil_identity_of_current(&user->who);
	veil_current_origin(&user->origin);
	user->inode = network_inode(sk);
}

static __always_inline struct network_user *network_find_user(struct sock *sk)
{
	struct network_user *user;
	__u64 address = (__u64)sk;

	user = bpf_map_lookup_elem(&network_users, &address);
	return user && user->inode == network_inode(sk) ? user : NULL;
}

/* Those that are there as the trace begins. */
SEC("iter/task_file")
int network_users_iter(struct bpf_iter__task_file *ctx)
{
	struct task_struct *task = ctx->task;
	struct network_user user = {};
	struct file *file = ctx->file;
	struct sock *sk;
	__u64 address;

	if (!task || !file)
		return 0;
	sk = network_sock_of(file);
	if (!sk || !network_has_protocol(sk, IPPROTO_UDP))
		return 0;
	user.inode = network_inode(sk);
	veil_identity_of(veil_task_at(task), &user.who);
	veil_task_origin(veil_task_at(task), &user.origin);
	address = (__u64)sk;
	bpf_map_update_elem(&network_users, &address, &user, BPF_NOEXIST);
	return 0;
}

/* `receiver` is the socket that was to receive it. */
static __always_inline int network_drop(struct sk_buff *skb, struct sock *receiver, __u32 reason)
{
	struct network_drop_event counted, *event;
	struct network_packet packet = {};
	struct veil_identity who;
	struct network_user *user = NULL;
	struct sock *sk = receiver;
	int state = network_state__UNKNOWN;
	__u64 id = 0;
	__u32 netns;

	if (!network_parse(skb, &packet))
		return 0;
	if (packet.protocol == IPPROTO_TCP ? !network_sees_tcp : !network_sees_udp)
		return 0;
	if (receiver)
		packet.incoming = true;
	else
		sk = BPF_CORE_READ(skb, sk);
	if (sk && !network_has_protocol(sk, packet.protocol))
		sk = NULL;
	if (sk && packet.protocol == IPPROTO_UDP)
		user = network_find_user(sk);
	if (user)
		who = user->who;
	else
		network_identify(sk, &who);
	netns = sk ? network_netns(sk) : packet.netns;
	if (!(user ? veil_identity_passes(&who, &user->origin) : network_task_passes(sk, &who)) ||
	    !network_packet_passes(&packet, network_evt__DROP, netns))
		return 0;
	if (sk && packet.protocol == IPPROTO_TCP) {
		state = BPF_CORE_READ(sk, __sk_common.skc_state);
		id = network_id_of(sk, 0);
	} else if (sk) {
		id = network_datagram_id(sk);
	}
	event = veil_reserve_as(&counted, &who.uid);
	if (!event)
		return 0;
	veil_event_init_as(&event->common, network_drop_event_kind, &who);
	network_describe_packet(&packet, network_evt__DROP, state, id, netns, &event->change);
	event->bytes = packet.bytes;
	event->reason.set = reason ? VEIL_REASON_DROP : VEIL_REASON_NONE;
	event->reason.number = reason;
	event->protocol = packet.protocol;
	veil_submit_as(event, sizeof(*event), user ? &user->origin : network_origin_of(sk, &who));
	return 0;
}

enum skb_drop_reason___exists {
	SKB_NOT_DROPPED_YET___exists,
};

#define network_drop_reason(ctx)                                                                                       \
	(bpf_core_type_exists(enum skb_drop_reason___exists) ? (__u32)network_late_argument(ctx, 16) : 0)
#define network_drop_receiver(ctx) (network_drop_has_socket ? (struct sock *)network_late_argument(ctx, 24) : NULL)

SEC("tp_btf/kfree_skb")
int network_drop_tp_btf(__u64 *ctx)
{
	return network_drop((struct sk_buff *)ctx[0], network_drop_receiver(ctx), network_drop_reason(ctx));
}

SEC("raw_tp/kfree_skb")
int network_drop_raw_tp(struct bpf_raw_tracepoint_args *ctx)
{
	return network_drop((struct sk_buff *)ctx->args[0], network_drop_receiver(ctx), network_drop_reason(ctx));
}
