/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Looks at sockets: what is still open when the trace ends (OPEN), listeners that drop connections (OVERFLOW), and what
 * connections move (TRAFFIC). */
#pragma once

static __always_inline bool network_is_open(int state)
{
	return state != STATE(CLOSE) && state != STATE(LISTEN) && state != STATE(TIME_WAIT) &&
	       state != STATE(NEW_SYN_RECV);
}

static __always_inline void network_open_emit(struct sock *sk, struct network_socket *socket)
{
	int state = BPF_CORE_READ(sk, __sk_common.skc_state);
	struct veil_identity who;

	if (!network_is_open(state))
		return;
	/* Not network_identify(): the iterator may hold the lock itself. */
	if (!network_find_owner(sk, &who))
		network_set_nobody(sk, &who);
	network_close_emit(sk, network_evt__OPEN, state, state, socket, network_id(sk, socket, 0), &who);
}

/* The socket of an entry of network_sockets. 0: it is behind the last one. */
static __always_inline __u64 network_entry(struct bpf_iter__bpf_map_elem *ctx)
{
	const void *key = ctx->key;
	__u64 address = 0;

	if (key)
		bpf_probe_read_kernel(&address, sizeof(address), key);
	return address;
}

/* Sockets that were seen. Userspace has it run over network_sockets. */
SEC("iter/bpf_map_elem")
int network_open_iter(struct bpf_iter__bpf_map_elem *ctx)
{
	struct sock *sk = (struct sock *)network_entry(ctx);
	struct network_socket *socket = network_find(sk);

	if (socket && network_is_tcp(sk))
		network_open_emit(sk, socket);
	return 0;
}

/* Those of the tracer's network namespace that no process had open when the trace began, and that did nothing since. */
SEC("iter/tcp")
int network_unseen_iter(struct bpf_iter__tcp *ctx)
{
	struct sock *sk = (struct sock *)ctx->sk_common;
	struct network_socket *socket;
	__u8 state;

	if (!sk)
		return 0;
	state = BPF_CORE_READ(sk, __sk_common.skc_state);
	if (!network_is_open(state) || !network_is_tcp(sk) || network_find(sk))
		return 0;
	socket = network_remember(sk);
	/* Nobody has accepted it yet: it is its listener's. */
	if (socket && (state == STATE(ESTABLISHED) || state == STATE(CLOSE_WAIT)))
		socket->waits = 1;
	network_open_emit(sk, socket);
	return 0;
}

/*
 * A listener counts what it drops because its queue is full. No hook says so when it happens, so it is looked at now
 * and then.
 */
SEC("iter/bpf_map_elem")
int network_overflow_iter(struct bpf_iter__bpf_map_elem *ctx)
{
	struct network_overflow_event counted, *event;
	struct sock *sk = (struct sock *)network_entry(ctx);
	struct network_socket *socket = network_find(sk);
	struct veil_identity who;
	__u32 drops, before;
	__u16 sport;

	if (!socket || !network_is_tcp(sk) || BPF_CORE_READ(sk, __sk_common.skc_state) != STATE(LISTEN))
		return 0;
	drops = BPF_CORE_READ(sk, sk_drops.counter);
	before = socket->drops;
	socket->drops = drops;
	/* Of one that was there before the trace the first look is the beginning. */
	if (!socket->handshake && !socket->drops_known) {
		socket->drops_known = 1;
		return 0;
	}
	if (drops == before)
		return 0;
	if (!network_find_owner(sk, &who))
		network_set_nobody(sk, &who);
	sport = network_sport(sk);
	if (!network_task_passes(sk, &who) || !network_passes_of(sk, network_evt__OVERFLOW, sport, 0, 0))
		return 0;
	event = veil_reserve_as(&counted, &who.uid);
	if (!event)
		return 0;
	veil_event_init_as(&event->common, network_overflow_event_kind, &who);
	network_describe(sk, network_evt__OVERFLOW, STATE(LISTEN), STATE(LISTEN), sport, 0, network_id(sk, socket, 0),
			 &event->change);
	event->dropped = drops - before;
	event->queued = BPF_CORE_READ(sk, sk_ack_backlog);
	event->queue_max = BPF_CORE_READ(sk, sk_max_ack_backlog);
	veil_submit_as(event, sizeof(*event), network_origin_of(sk, &who));
	return 0;
}

/*
 * What a connection has moved since the last look. The kernel counts it anyway, so a look costs the program that sends
 * nothing. What comes between the last look and the end is only in CLOSE.
 */
SEC("iter/bpf_map_elem")
int network_traffic_iter(struct bpf_iter__bpf_map_elem *ctx)
{
	struct network_traffic_event counted, *event;
	struct sock *sk = (struct sock *)network_entry(ctx);
	struct network_socket *socket = network_find(sk);
	__u64 received = 0, sent = 0, rx_bytes, tx_bytes;
	struct veil_identity who;
	__u16 sport, dport;
	int state;

	if (!socket || !network_is_tcp(sk))
		return 0;
	state = BPF_CORE_READ(sk, __sk_common.skc_state);
	if (!network_is_open(state) || state == STATE(SYN_SENT) || state == STATE(SYN_RECV))
		return 0;
	network_moved(sk, state, socket, &received, &sent);
	rx_bytes = received - socket->received;
	tx_bytes = sent - socket->sent;
	socket->received = received;
	socket->sent = sent;
	/* Of one that was there before the trace the first look is the beginning. */
	if (!socket->handshake && !socket->moved_known) {
		socket->moved_known = 1;
		return 0;
	}
	/* Less than before: it is another one at this address, or was read while it changed. */
	if ((__s64)rx_bytes < 0 || (__s64)tx_bytes < 0 || !(rx_bytes | tx_bytes))
		return 0;
	if (!network_find_owner(sk, &who))
		network_set_nobody(sk, &who);
	sport = network_sport(sk);
	dport = network_dport(sk);
	if (!network_task_passes(sk, &who) || !network_passes_of(sk, network_evt__TRAFFIC, sport, dport, 0))
		return 0;
	event = veil_reserve_as(&counted, &who.uid);
	if (!event)
		return 0;
	veil_event_init_as(&event->common, network_traffic_event_kind, &who);
	network_describe(sk, network_evt__TRAFFIC, state, state, sport, dport, network_id(sk, socket, 0),
			 &event->change);
	event->rx_bytes = rx_bytes;
	event->tx_bytes = tx_bytes;
	event->bytes = rx_bytes + tx_bytes;
	veil_submit_as(event, sizeof(*event), network_origin_of(sk, &who));
	return 0;
}
