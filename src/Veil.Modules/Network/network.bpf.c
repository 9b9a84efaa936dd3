/* SPDX-License-Identifier: GPL-3.0-only */
/* TCP connections: their changes of state, who accepted them, and what they came to when they close. */
#include <bpf/bpf_endian.h>
#include "veil/arch.bpf.h"
#include "veil/emit.bpf.h"
#include "veil/filter.bpf.h"

char _license[] SEC("license") = "GPL";

enum network_evt {
	network_evt__CONNECT,
	network_evt__ESTABLISHED,
	network_evt__ACCEPT,
	network_evt__CLOSE,
	network_evt__FAILED,
	network_evt__LISTEN,
};

/* AF_INET, AF_INET6 */
enum network_family {
	network_family__IPv4 = 2,
	network_family__IPv6 = 10,
};

/* include/net/tcp_states.h */
enum network_state {
	network_state__ESTABLISHED = 1,
	network_state__SYN_SENT,
	network_state__SYN_RECV,
	network_state__FIN_WAIT1,
	network_state__FIN_WAIT2,
	network_state__TIME_WAIT,
	network_state__CLOSE,
	network_state__CLOSE_WAIT,
	network_state__LAST_ACK,
	network_state__LISTEN,
	network_state__CLOSING,
	network_state__NEW_SYN_RECV,
};

#define STATE(name) network_state__##name

#define IPPROTO_TCP   6
#define EEXIST	      17
#define SHUTDOWN_MASK 3	       /* include/net/sock.h: both directions */
#define SOCK_DONE     (1 << 1) /* enum sock_flags: the peer's FIN was taken in */

struct network_change {
	enum network_evt evt_type;
	enum network_family family;
	veil_ip_t saddr;
	veil_port_t sport;
	veil_ip_t daddr;
	veil_port_t dport;
	enum network_state oldstate;
	enum network_state newstate;
};

struct network_event {
	struct veil_event common;
	struct network_change change;
};

struct network_close_event {
	struct veil_event common;
	struct network_change change;
	veil_duration_t duration_ns;
	veil_bytes_t rx_bytes;
	veil_bytes_t tx_bytes;
	__u32 retransmits;
	__u32 srtt_us;
};

VEIL_EVENT(0, network_event);
VEIL_EVENT(1, network_close_event);

VEIL_FILTER(port, __u32);

/* A hook on tcp_connect() tells of a connect(), which by then has a local port. */
const volatile bool network_connect_hook;

/* What is remembered of a socket, by its address in the kernel, from its first change of state to its last. */
struct network_socket {
	struct veil_identity who;
	__u8 known;	 /* `who` is filled */
	__u8 handshake;	 /* its handshake was seen from the start */
	__u8 active;	 /* it connected: its SYN counts as a byte that was acknowledged */
	__u8 untold;	 /* its CONNECT is still to be told */
	__u8 registered; /* it is counted in network_ports */
	__u64 established_ns;
};

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 65536);
	__type(key, __u64);
	__type(value, struct network_socket);
} network_sockets SEC(".maps");

/* Who listens on a port: the owner of what arrives there, until somebody accepts it. */
struct network_port {
	__u64 net;
	__u64 port;
};

struct network_listener {
	struct veil_identity who;
	__u32 sockets;
	__u32 shared; /* by several processes (SO_REUSEPORT, several addresses): then nobody is taken for it */
};

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 8192);
	__type(key, struct network_port);
	__type(value, struct network_listener);
} network_ports SEC(".maps");

static __always_inline __u16 network_sport(struct sock *sk)
{
	/* Not skc_num: that one is gone when the change to CLOSE is told (inet_put_port()). */
	return bpf_ntohs(BPF_CORE_READ((struct inet_sock *)sk, inet_sport));
}

static __always_inline __u16 network_dport(struct sock *sk)
{
	return bpf_ntohs(BPF_CORE_READ(sk, __sk_common.skc_dport));
}

static __always_inline struct network_port network_port_of(struct sock *sk)
{
	struct network_port key = {.net = (__u64)BPF_CORE_READ(sk, __sk_common.skc_net.net), .port = network_sport(sk)};

	return key;
}

/* ---- filters ---- */

/* Either end counts, so that a denied port denies whichever end it is on. */
static __always_inline bool network_ports_pass(__u16 sport, __u16 dport)
{
	__u32 one = sport, other = dport;

	return veil_filter_either_passes(port, &one, &other);
}

/* ---- events ---- */

static __always_inline void network_describe(struct sock *sk, enum network_evt evt, int oldstate, int newstate,
					     __u16 sport, __u16 dport, struct network_change *change)
{
	__u16 family = BPF_CORE_READ(sk, __sk_common.skc_family);

	change->evt_type = evt;
	change->family = family;
	change->oldstate = oldstate;
	change->newstate = newstate;
	change->sport = sport;
	change->dport = dport;
	__builtin_memset(&change->saddr, 0, sizeof(change->saddr));
	__builtin_memset(&change->daddr, 0, sizeof(change->daddr));
	if (family == network_family__IPv6 && bpf_core_field_exists(sk->__sk_common.skc_v6_daddr)) {
		change->saddr.version = change->daddr.version = 6;
		BPF_CORE_READ_INTO(&change->saddr.bytes, sk, __sk_common.skc_v6_rcv_saddr);
		BPF_CORE_READ_INTO(&change->daddr.bytes, sk, __sk_common.skc_v6_daddr);
	} else {
		change->saddr.version = change->daddr.version = 4;
		BPF_CORE_READ_INTO((__be32 *)change->saddr.bytes, sk, __sk_common.skc_rcv_saddr);
		BPF_CORE_READ_INTO((__be32 *)change->daddr.bytes, sk, __sk_common.skc_daddr);
	}
}

static __always_inline void network_tell(struct sock *sk, enum network_evt evt, int oldstate, int newstate,
					 const struct veil_identity *who)
{
	__u16 sport = network_sport(sk), dport = network_dport(sk);
	struct network_event counted, *event;

	if (!network_ports_pass(sport, dport) || !veil_identity_passes(who))
		return;
	event = veil_begin_as(&counted, &who->uid);
	if (!event)
		return;
	veil_event_init_as(&event->common, network_event_kind, who);
	network_describe(sk, evt, oldstate, newstate, sport, dport, &event->change);
	veil_submit(event, sizeof(*event));
}

/*
 * The kernel's counters are of sequence numbers: bytes_acked has the SYN of the side that connected (the other side
 * starts behind its own, tcp_create_openreq_child()) and our FIN, bytes_received the peer's FIN. What was sent and
 * received is without them.
 */
static __always_inline void network_figures(struct sock *sk, int oldstate, const struct network_socket *socket,
					    struct network_close_event *event)
{
	struct tcp_sock *tcp = (struct tcp_sock *)sk;
	__u64 acked = BPF_CORE_READ(tcp, bytes_acked), received = BPF_CORE_READ(tcp, bytes_received);
	__u32 una = BPF_CORE_READ(tcp, snd_una), end = BPF_CORE_READ(tcp, write_seq);
	bool fin_sent = oldstate == STATE(FIN_WAIT1) || oldstate == STATE(FIN_WAIT2) || oldstate == STATE(CLOSING) ||
			oldstate == STATE(LAST_ACK);
	bool active;

	/* The FIN is the last that was written. */
	if (fin_sent && una == end)
		acked--;
	if (socket && socket->handshake) {
		active = socket->active;
	} else {
		/* The segments that went out, less those on the way, are what was acknowledged, and know of no SYN. */
		__u32 next = BPF_CORE_READ(tcp, snd_nxt);
		__u64 sent = BPF_CORE_READ(tcp, bytes_sent) - BPF_CORE_READ(tcp, bytes_retrans);
		__u64 under_way = next - una - (fin_sent && next == end && una != end ? 1 : 0);
		active = acked == sent - under_way + 1;
	}
	event->tx_bytes = acked - (active ? 1 : 0);
	event->rx_bytes = received - (BPF_CORE_READ(sk, __sk_common.skc_flags) & SOCK_DONE ? 1 : 0);
	event->retransmits = BPF_CORE_READ(tcp, total_retrans);
	event->srtt_us = BPF_CORE_READ(tcp, srtt_us) >> 3; /* kept times eight */
	event->duration_ns =
	    socket && socket->established_ns ? event->common.timestamp - socket->established_ns : VEIL_DURATION_UNKNOWN;
}

static __always_inline void network_tell_close(struct sock *sk, int oldstate, const struct network_socket *socket,
					       const struct veil_identity *who)
{
	__u16 sport = network_sport(sk), dport = network_dport(sk);
	struct network_close_event counted, *event;

	if (!network_ports_pass(sport, dport) || !veil_identity_passes(who))
		return;
	event = veil_begin_as(&counted, &who->uid);
	if (!event)
		return;
	veil_event_init_as(&event->common, network_close_event_kind, who);
	network_describe(sk, network_evt__CLOSE, oldstate, STATE(CLOSE), sport, dport, &event->change);
	network_figures(sk, oldstate, socket, event);
	veil_submit(event, sizeof(*event));
}

/* ---- who ---- */

static __always_inline void network_listening(struct sock *sk, const struct veil_identity *who,
					      struct network_socket *socket)
{
	struct network_port key = network_port_of(sk);
	struct network_listener fresh = {.who = *who, .sockets = 1}, *listener;

	if (!key.port)
		return; /* the kernel chooses one later */
	listener = bpf_map_lookup_elem(&network_ports, &key);
	if (listener) {
		__sync_fetch_and_add(&listener->sockets, 1);
		if (listener->who.pid != who->pid)
			listener->shared = 1;
	} else if (bpf_map_update_elem(&network_ports, &key, &fresh, BPF_ANY)) {
		veil_lost(VEIL_LOST_MAP_FULL);
		return;
	}
	socket->registered = 1;
}

static __always_inline void network_listened(struct sock *sk)
{
	struct network_port key = network_port_of(sk);
	struct network_listener *listener = bpf_map_lookup_elem(&network_ports, &key);

	if (!listener)
		return;
	if (listener->sockets <= 1)
		bpf_map_delete_elem(&network_ports, &key);
	else
		__sync_fetch_and_add(&listener->sockets, -1);
}

/* A socket that the kernel made for a finished handshake: a copy of the listener's. */
static __always_inline void network_born(struct sock *sk, __u64 address)
{
	struct network_socket socket = {.handshake = 1};
	struct network_port key = network_port_of(sk);
	struct network_listener *listener = bpf_map_lookup_elem(&network_ports, &key);

	if (listener && !listener->shared) {
		socket.who = listener->who;
		socket.known = 1;
	}
	if (bpf_map_update_elem(&network_sockets, &address, &socket, BPF_ANY))
		veil_lost(VEIL_LOST_MAP_FULL);
}

/*
 * Does a process do this on purpose? Then it is the one to name, also where the socket was another's before.
 * sk_shutdown tells a close() that gives up unread data, which shuts down first (__tcp_close()), from a reset that
 * comes in.
 */
static __always_inline bool network_deliberate(struct sock *sk, int oldstate, int newstate)
{
	if (newstate == STATE(FIN_WAIT1) || newstate == STATE(LAST_ACK) || oldstate == STATE(LISTEN))
		return true;
	return newstate == STATE(CLOSE) && (oldstate <= STATE(SYN_RECV) || oldstate == STATE(CLOSE_WAIT)) &&
	       BPF_CORE_READ(sk, sk_shutdown) == SHUTDOWN_MASK;
}

static __always_inline enum network_evt network_evt_of(int oldstate, int newstate)
{
	switch (newstate) {
	case STATE(SYN_SENT):
	case STATE(SYN_RECV):
		return network_evt__CONNECT;
	case STATE(ESTABLISHED):
		return network_evt__ESTABLISHED;
	case STATE(LISTEN):
		return network_evt__LISTEN;
	case STATE(CLOSE):
		return oldstate == STATE(SYN_SENT) || oldstate == STATE(SYN_RECV) ? network_evt__FAILED
										  : network_evt__CLOSE;
	default:
		return network_evt__CLOSE;
	}
}

/* connect() or listen(): both by the running task. */
static __always_inline void network_begun(struct sock *sk, __u64 address, int newstate)
{
	struct network_socket socket = {
	    .known = 1,
	    .handshake = 1,
	    .active = newstate == STATE(SYN_SENT),
	    .untold = network_connect_hook && newstate == STATE(SYN_SENT),
	};

	veil_identity_of_current(&socket.who);
	if (newstate == STATE(LISTEN))
		network_listening(sk, &socket.who, &socket);
	if (bpf_map_update_elem(&network_sockets, &address, &socket, BPF_ANY)) {
		veil_lost(VEIL_LOST_MAP_FULL);
		socket.untold = 0;
	}
	if (!socket.untold)
		network_tell(sk, network_evt_of(STATE(CLOSE), newstate), STATE(CLOSE), newstate, &socket.who);
}

static __always_inline int network_changes(struct sock *sk, int oldstate, int newstate)
{
	__u64 address = (__u64)sk;
	struct network_socket *socket;
	struct veil_identity who = {};

	/* The tracepoint also tells of other protocols, and of a close() of what was closed already. */
	if (oldstate == newstate || BPF_CORE_READ(sk, sk_protocol) != IPPROTO_TCP)
		return 0;
	if (oldstate == STATE(CLOSE)) {
		network_begun(sk, address, newstate);
		return 0;
	}
	if (oldstate == STATE(LISTEN) && newstate == STATE(SYN_RECV)) {
		network_born(sk, address);
		return 0;
	}

	socket = bpf_map_lookup_elem(&network_sockets, &address);
	if (socket && socket->untold) {
		/* tcp_connect() was not reached: there was no port or no route. */
		socket->untold = 0;
		who = socket->who;
		network_tell(sk, network_evt__CONNECT, STATE(CLOSE), STATE(SYN_SENT), &who);
	}

	/*
	 * In half of the cases the running task is a stranger that an interrupt stopped. It is a user of this socket
	 * where the socket is owned: packets and timers never touch a socket that a process has locked
	 * (sock_owned_by_user()), they wait until that process deals with them.
	 */
	if (BPF_CORE_READ(sk, sk_lock.owned) &&
	    (!socket || !socket->known || network_deliberate(sk, oldstate, newstate))) {
		veil_identity_of_current(&who);
		if (socket) {
			socket->who = who;
			socket->known = 1;
		} else if (newstate != STATE(CLOSE)) {
			struct network_socket fresh = {.who = who, .known = 1};
			if (bpf_map_update_elem(&network_sockets, &address, &fresh, BPF_ANY))
				veil_lost(VEIL_LOST_MAP_FULL);
		}
	} else if (socket && socket->known) {
		who = socket->who;
	} else {
		who.uid = BPF_CORE_READ(sk, sk_uid.val);
	}

	if (newstate == STATE(ESTABLISHED) && socket)
		socket->established_ns = bpf_ktime_get_boot_ns();
	if (newstate == STATE(CLOSE) && oldstate != STATE(LISTEN) &&
	    network_evt_of(oldstate, newstate) == network_evt__CLOSE)
		network_tell_close(sk, oldstate, socket, &who);
	else
		network_tell(sk, network_evt_of(oldstate, newstate), oldstate, newstate, &who);

	if (newstate == STATE(CLOSE)) {
		if (socket && socket->registered)
			network_listened(sk);
		bpf_map_delete_elem(&network_sockets, &address);
	}
	return 0;
}

/* The family too: netlink's protocols are numbers of their own. */
static __always_inline bool network_is_tcp(struct sock *sk)
{
	__u16 family;

	if (!sk || BPF_CORE_READ(sk, sk_protocol) != IPPROTO_TCP)
		return false;
	family = BPF_CORE_READ(sk, __sk_common.skc_family);
	return family == network_family__IPv4 || family == network_family__IPv6;
}

/* The running task got the socket from accept(). Its state stays as it is. */
static __always_inline int network_accepted(struct sock *sk)
{
	__u64 address = (__u64)sk;
	struct network_socket *socket;
	struct veil_identity who;
	__u8 state;

	if (!network_is_tcp(sk))
		return 0;
	state = BPF_CORE_READ(sk, __sk_common.skc_state);
	veil_identity_of_current(&who);
	socket = bpf_map_lookup_elem(&network_sockets, &address);
	if (socket) {
		socket->who = who;
		socket->known = 1;
	} else if (state != STATE(CLOSE)) {
		/* Its handshake was before the trace. */
		struct network_socket fresh = {.who = who, .known = 1};
		if (bpf_map_update_elem(&network_sockets, &address, &fresh, BPF_ANY))
			veil_lost(VEIL_LOST_MAP_FULL);
	}
	network_tell(sk, network_evt__ACCEPT, state, state, &who);
	return 0;
}

static __always_inline int network_connects(struct sock *sk)
{
	__u64 address = (__u64)sk;
	struct network_socket *socket = bpf_map_lookup_elem(&network_sockets, &address);
	struct veil_identity who;

	if (!socket || !socket->untold)
		return 0;
	socket->untold = 0;
	who = socket->who;
	network_tell(sk, network_evt__CONNECT, STATE(CLOSE), STATE(SYN_SENT), &who);
	return 0;
}

/*
 * ---- changes of state ----
 *
 * The kernel does not run a program while the same one runs on that CPU (raw tracepoints: from 6.1 on, commit
 * 05b24ff9b2cf). A process that changes a socket's state may be stopped by an interrupt within the program, and the
 * packets that are then dealt with change other sockets' states: in a server on a busy machine one of a hundred
 * connections. So there is a second program behind the first, for what the first was skipped for.
 *
 * Only the changes that packets and timers make can be that, and no two of these meet on a CPU: the first program notes
 * which one it has seen, and the second acts where that is another one. It is skipped itself only while it runs
 * beneath, when the first does not. A process's change is noted too: else a note that stayed because the second was
 * skipped could be taken for that of a later socket at the same address.
 */
struct network_seen {
	__u64 address;
	int oldstate;
	int newstate;
};

struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct network_seen);
} network_seen SEC(".maps");

static __always_inline int network_first(struct sock *sk, int oldstate, int newstate)
{
	__u32 zero = 0;
	struct network_seen *seen = bpf_map_lookup_elem(&network_seen, &zero);

	if (seen) {
		seen->address = (__u64)sk;
		seen->oldstate = oldstate;
		seen->newstate = newstate;
	}
	return network_changes(sk, oldstate, newstate);
}

static __always_inline int network_second(struct sock *sk, int oldstate, int newstate)
{
	__u32 zero = 0;
	struct network_seen *seen = bpf_map_lookup_elem(&network_seen, &zero);

	if (!seen || BPF_CORE_READ(sk, sk_lock.owned))
		return 0;
	if (seen->address == (__u64)sk && seen->oldstate == oldstate && seen->newstate == newstate) {
		seen->address = 0;
		return 0;
	}
	return network_changes(sk, oldstate, newstate);
}

SEC("tp_btf/inet_sock_set_state")
int BPF_PROG(state_tp_btf, struct sock *sk, int oldstate, int newstate)
{
	return network_first(sk, oldstate, newstate);
}

SEC("tp_btf/inet_sock_set_state")
int BPF_PROG(state_second_tp_btf, struct sock *sk, int oldstate, int newstate)
{
	return network_second(sk, oldstate, newstate);
}

SEC("raw_tp/inet_sock_set_state")
int state_raw_tp(struct bpf_raw_tracepoint_args *ctx)
{
	return network_first((struct sock *)ctx->args[0], ctx->args[1], ctx->args[2]);
}

SEC("raw_tp/inet_sock_set_state")
int state_second_raw_tp(struct bpf_raw_tracepoint_args *ctx)
{
	return network_second((struct sock *)ctx->args[0], ctx->args[1], ctx->args[2]);
}

/* Here a second one is of no use: any program of this kind keeps all others of its kind from running. */
SEC("tracepoint/sock/inet_sock_set_state")
int state_tracepoint(struct trace_event_raw_inet_sock_set_state *ctx)
{
	return network_changes((struct sock *)ctx->skaddr, ctx->oldstate, ctx->newstate);
}

/* ---- the kernel's own functions, where they can be hooked ---- */

SEC("fentry/tcp_connect")
int BPF_PROG(connect_fentry, struct sock *sk)
{
	return network_connects(sk);
}

SEC("kprobe/tcp_connect")
int BPF_KPROBE(connect_kprobe, struct sock *sk)
{
	return network_connects(sk);
}

/*
 * Where accept() gives the new socket to its file, with the socket locked (sock_graft()). Better than the return of
 * inet_csk_accept(): that is before the lock, so it races with the last step of the handshake, and as it may wait long,
 * a kretprobe on it runs out of places (maxactive) where many wait.
 */
SEC("fentry/security_sock_graft")
int BPF_PROG(graft_fentry, struct sock *sk)
{
	return network_accepted(sk);
}

SEC("kprobe/security_sock_graft")
int BPF_KPROBE(graft_kprobe, struct sock *sk)
{
	return network_accepted(sk);
}

/*
 * Without security modules (CONFIG_SECURITY_NETWORK) there is no such function. The arguments after the listener went
 * into a struct in 6.10 (commit 92ef0fd55ac8); the result stands behind them. Written as assembly, because the compiler
 * would make one load of the two, at an address that it chooses, and the verifier wants to see the offsets.
 */
SEC("fexit/inet_csk_accept")
int accept_fentry(__u64 *ctx)
{
	struct sock *sk;

	if (bpf_core_type_exists(struct proto_accept_arg))
		asm volatile("%0 = *(u64 *)(%1 + 16)" : "=r"(sk) : "r"(ctx));
	else
		asm volatile("%0 = *(u64 *)(%1 + 32)" : "=r"(sk) : "r"(ctx));
	return network_accepted(sk);
}

SEC("kretprobe/inet_csk_accept")
int BPF_KRETPROBE(accept_kprobe, struct sock *sk)
{
	return network_accepted(sk);
}

/* ---- the accept system calls, where they cannot: the descriptor that was returned leads to the socket ---- */

/* Nothing where the file is no socket: a socket points back to its file. */
static __always_inline struct sock *network_sock_of(struct file *file)
{
	struct socket *socket = BPF_CORE_READ(file, private_data);

	if (!socket || BPF_CORE_READ(socket, file) != file)
		return NULL;
	return BPF_CORE_READ(socket, sk);
}

static __always_inline int network_accept_returns(long fd)
{
	struct task_struct *task = veil_current();
	struct fdtable *table;
	struct file **files, *file = NULL;

	if (fd < 0)
		return 0;
	table = BPF_CORE_READ(task, files, fdt);
	if (!table || fd >= BPF_CORE_READ(table, max_fds))
		return 0;
	files = BPF_CORE_READ(table, fd);
	bpf_probe_read_kernel(&file, sizeof(file), files + fd);
	/* Another thread may have put something else there by now, which is then looked at in vain. */
	return file ? network_accepted(network_sock_of(file)) : 0;
}

/*
 * Every system call of the machine comes by here, so its number is asked for first. `regs` are those of the call; the
 * 32-bit table's numbers mean other calls in the 64-bit one.
 */
#if defined(__TARGET_ARCH_x86)

#define X64_ACCEPT	43
#define X64_ACCEPT4	288
#define I386_SOCKETCALL 102
#define I386_ACCEPT4	364
#define SYS_ACCEPT	5 /* include/uapi/linux/net.h: what socketcall() does */
#define SYS_ACCEPT4	18

static __always_inline bool network_is_accept(void *regs, __s32 nr)
{
	__s32 number = nr & ~X32_BIT;
	enum veil_arch arch;
	__u32 call;

	if (number != X64_ACCEPT && number != X64_ACCEPT4 && number != I386_SOCKETCALL && number != I386_ACCEPT4)
		return false;
	arch = veil_syscall_arch(veil_current(), nr);
	if (arch != VEIL_ARCH_I386)
		return number == X64_ACCEPT || number == X64_ACCEPT4;
	if (number != I386_SOCKETCALL)
		return number == I386_ACCEPT4;
	call = veil_syscall_arg0(regs, arch);
	return call == SYS_ACCEPT || call == SYS_ACCEPT4;
}

#define network_nr_typed(regs) ((__s32)((struct pt_regs___x86 *)(regs))->orig_ax)

#elif defined(__TARGET_ARCH_arm64)

#define ARM64_ACCEPT  202
#define ARM64_ACCEPT4 242
#define ARM_ACCEPT    285
#define ARM_ACCEPT4   366

static __always_inline bool network_is_accept(void *regs, __s32 nr)
{
	if (nr != ARM64_ACCEPT && nr != ARM64_ACCEPT4 && nr != ARM_ACCEPT && nr != ARM_ACCEPT4)
		return false;
	if (veil_syscall_arch(veil_current(), nr) == VEIL_ARCH_ARM)
		return nr == ARM_ACCEPT || nr == ARM_ACCEPT4;
	return nr == ARM64_ACCEPT || nr == ARM64_ACCEPT4;
}

#define network_nr_typed(regs) (((struct pt_regs___arm64 *)(regs))->syscallno)

#endif

SEC("tp_btf/sys_exit")
int BPF_PROG(accept_tp_btf, struct pt_regs *regs, long ret)
{
	if (ret < 0 || !network_is_accept(regs, network_nr_typed(regs)))
		return 0;
	return network_accept_returns(ret);
}

SEC("raw_tp/sys_exit")
int accept_raw_tp(struct bpf_raw_tracepoint_args *ctx)
{
	void *regs = (void *)ctx->args[0];
	long ret = ctx->args[1];

	if (ret < 0 || !network_is_accept(regs, veil_syscall_nr(regs)))
		return 0;
	return network_accept_returns(ret);
}

SEC("tracepoint/syscalls/sys_exit_accept")
int accept_tracepoint(struct trace_event_raw_sys_exit *ctx)
{
	return network_accept_returns(ctx->ret);
}

SEC("tracepoint/syscalls/sys_exit_accept4")
int accept4_tracepoint(struct trace_event_raw_sys_exit *ctx)
{
	return network_accept_returns(ctx->ret);
}

/*
 * ---- sockets from before the trace ----
 *
 * Run once, when the hooks are attached: over the files of all processes. Of several that have a socket the first one
 * counts, which after a fork is most often the parent.
 */
SEC("iter/task_file")
int sockets_iter(struct bpf_iter__task_file *ctx)
{
	struct task_struct *task = ctx->task;
	struct file *file = ctx->file;
	struct network_socket fresh = {.known = 1}, *socket;
	__u64 address;
	struct sock *sk;
	long refused;

	if (!task || !file)
		return 0;
	sk = network_sock_of(file);
	if (!network_is_tcp(sk) || BPF_CORE_READ(sk, __sk_common.skc_state) == STATE(CLOSE))
		return 0;
	BPF_CORE_READ_INTO(&fresh.who.comm, task, comm);
	fresh.who.pid = BPF_CORE_READ(task, tgid);
	fresh.who.tid = BPF_CORE_READ(task, pid);
	fresh.who.uid = BPF_CORE_READ(task, cred, uid.val);
	address = (__u64)sk;
	refused = bpf_map_update_elem(&network_sockets, &address, &fresh, BPF_NOEXIST);
	if (refused) {
		if (refused != -EEXIST)
			veil_lost(VEIL_LOST_MAP_FULL);
		return 0;
	}
	socket = bpf_map_lookup_elem(&network_sockets, &address);
	if (socket && BPF_CORE_READ(sk, __sk_common.skc_state) == STATE(LISTEN))
		network_listening(sk, &fresh.who, socket);
	/* It was closed meanwhile, and nobody will take it out. */
	if (BPF_CORE_READ(sk, __sk_common.skc_state) == STATE(CLOSE))
		bpf_map_delete_elem(&network_sockets, &address);
	return 0;
}
