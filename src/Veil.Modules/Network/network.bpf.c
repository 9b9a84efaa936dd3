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
	network_evt__CLOSING,
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
#define IPPROTO_MPTCP 262
#define EPIPE	      32
#define EEXIST	      17
#define ECONNABORTED  103
#define ECONNRESET    104
#define ECONNREFUSED  111
#define SHUTDOWN_MASK 3		 /* include/net/sock.h: both directions */
#define SOCK_DONE     (1 << 1)	 /* enum sock_flags: the peer's FIN was taken in */
#define PF_KTHREAD    0x00200000 /* include/linux/sched.h */
#define EXIT_DEAD     0x00000010

enum network_side {
	network_side__local,
	network_side__remote,
};

#define NEITHER_SIDE ((enum network_side) - 1)

struct network_change {
	enum network_evt evt_type;
	enum network_family family;
	veil_ip_t saddr;
	veil_chosen_port_t sport;
	veil_ip_t daddr;
	veil_port_t dport;
	enum network_state oldstate;
	enum network_state newstate;
	veil_id_t socket_id;
	__u32 netns;
};

struct network_event {
	struct veil_event common;
	struct network_change change;
};

struct network_failed_event {
	struct veil_event common;
	struct network_change change;
	veil_errno_t errno;
	enum network_side reset_by;
};

struct network_close_event {
	struct veil_event common;
	struct network_change change;
	veil_errno_t errno;
	enum network_side reset_by;
	veil_duration_t duration_ns;
	veil_bytes_t rx_bytes;
	veil_bytes_t tx_bytes;
	__u32 retransmits;
	veil_microseconds_t srtt_us;
};

VEIL_EVENT(0, network_event);
VEIL_EVENT(1, network_close_event);
VEIL_EVENT(2, network_failed_event);

VEIL_FILTER(port, __u32);

/* A hook on tcp_connect() tells of a connect(), which by then has a local port. */
const volatile bool network_connect_hook;

/* From 5.12 on (commit c5dbb89fc2ac) a program that has a typed pointer can have the kernel make a socket's cookie. */
const volatile bool network_cookies;

/* A process that has a descriptor of a socket. */
struct network_process {
	__u64 leader; /* its first thread, a struct task_struct */
	__u64 started_ns;
	__u32 fd; /* where the socket was seen among its files: looked at first */
};

/* What is remembered of a socket, by its address in the kernel, from its first change of state to its last. */
struct network_socket {
	__u64 id;
	__u64 established_ns;
	struct network_process owner;
	struct network_process heir; /* the child that the owner forked */
	struct veil_identity who;    /* of the owner */
	__u8 known;		     /* the owner is */
	__u8 installed;		     /* the owner was seen to have a descriptor of it */
	__u8 heirs;		     /* more than one child has it: then none of them is named */
	__u8 waits;		     /* for accept() */
	__u8 handshake;		     /* its handshake was seen from the start */
	__u8 active;		     /* it connected: its SYN counts as a byte that was acknowledged */
	__u8 untold;		     /* its CONNECT is still to be told */
	__u8 registered;	     /* it is counted in network_ports */
};

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 65536);
	__type(key, __u64);
	__type(value, struct network_socket);
} network_sockets SEC(".maps");

const struct network_socket network_fresh = {};

/* Who listens on a port has what arrives there, until somebody accepts it. */
struct network_port {
	__u64 net;
	__u64 port;
};

struct network_listener {
	__u64 sk; /* the first of them */
	__u32 pid;
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

static __always_inline struct network_socket *network_find(struct sock *sk)
{
	__u64 address = (__u64)sk;

	return bpf_map_lookup_elem(&network_sockets, &address);
}

/* A new record, also where an old one was left. */
static __always_inline struct network_socket *network_remember(struct sock *sk)
{
	__u64 address = (__u64)sk;

	if (bpf_map_update_elem(&network_sockets, &address, &network_fresh, BPF_ANY)) {
		veil_lost(VEIL_LOST_MAP_FULL);
		return NULL;
	}
	return bpf_map_lookup_elem(&network_sockets, &address);
}

static __always_inline void network_forget(struct sock *sk)
{
	__u64 address = (__u64)sk;

	bpf_map_delete_elem(&network_sockets, &address);
}

/* ---- MPTCP: the socket that the process has is one of protocol 262, which has TCP sockets of its own below ---- */

static __always_inline bool network_is_tcp(struct sock *sk)
{
	/* The family too: netlink's protocols are numbers of their own. */
	__u16 family = BPF_CORE_READ(sk, __sk_common.skc_family);

	return BPF_CORE_READ(sk, sk_protocol) == IPPROTO_TCP &&
	       (family == network_family__IPv4 || family == network_family__IPv6);
}

/* The socket of a process, to the one of TCP: of several the first, with which the connection was made. */
static __always_inline struct sock *network_tcp_of(struct sock *sk)
{
	if (!sk)
		return NULL;
	if (BPF_CORE_READ(sk, sk_protocol) == IPPROTO_MPTCP && bpf_core_field_exists(struct mptcp_sock, first)) {
		sk = BPF_CORE_READ((struct mptcp_sock *)sk, first);
		if (!sk)
			return NULL;
	}
	return network_is_tcp(sk) ? sk : NULL;
}

/* The way back; NULL where it is a socket of its own. */
static __always_inline struct mptcp_sock *network_mptcp_of(struct sock *sk)
{
	struct mptcp_subflow_context *subflow;

	if (!bpf_core_field_exists(struct tcp_sock, is_mptcp) || !bpf_core_field_exists(struct mptcp_sock, first) ||
	    !BPF_CORE_READ((struct tcp_sock *)sk, is_mptcp))
		return NULL;
	subflow = BPF_CORE_READ((struct inet_connection_sock *)sk, icsk_ulp_data);
	return subflow ? (struct mptcp_sock *)BPF_CORE_READ(subflow, conn) : NULL;
}

/* ---- filters ---- */

/* Either end counts, so that a denied port denies whichever end it is on. */
static __always_inline bool network_ports_pass(__u16 sport, __u16 dport)
{
	__u32 one = sport, other = dport;

	return veil_filter_either_passes(port, &one, &other);
}

/* ---- events ---- */

/*
 * What joins the lines of a socket: its cookie, as ss and bpf_get_socket_cookie() have it. Where the kernel has made
 * none and cannot be asked to, a number of our own: beyond any cookie, and made of the time so that none comes twice.
 */
static __always_inline __u64 network_id(struct sock *sk, struct network_socket *socket, __u64 cookie)
{
	if (socket && socket->id)
		return socket->id;
	if (!cookie)
		cookie = BPF_CORE_READ(sk, __sk_common.skc_cookie.counter);
	if (!cookie)
		cookie = 1ULL << 52 |
			 ((bpf_ktime_get_boot_ns() << 6 | (bpf_get_smp_processor_id() & 63)) & ((1ULL << 52) - 1));
	if (socket)
		socket->id = cookie;
	return cookie;
}

static __always_inline void network_describe(struct sock *sk, enum network_evt evt, int oldstate, int newstate,
					     __u16 sport, __u16 dport, __u64 id, struct network_change *change)
{
	__u16 family = BPF_CORE_READ(sk, __sk_common.skc_family);

	change->evt_type = evt;
	change->family = family;
	change->oldstate = oldstate;
	change->newstate = newstate;
	change->sport = sport;
	change->dport = dport;
	change->socket_id = id;
	change->netns = BPF_CORE_READ(sk, __sk_common.skc_net.net, ns.inum);
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

static __always_inline void network_tell(struct sock *sk, enum network_evt evt, int oldstate, int newstate, __u64 id,
					 const struct veil_identity *who)
{
	__u16 sport = network_sport(sk), dport = network_dport(sk);
	struct network_event counted, *event;

	if (!veil_identity_passes(who) || !network_ports_pass(sport, dport))
		return;
	event = veil_begin_as(&counted, &who->uid);
	if (!event)
		return;
	veil_event_init_as(&event->common, network_event_kind, who);
	network_describe(sk, evt, oldstate, newstate, sport, dport, id, &event->change);
	veil_submit(event, sizeof(*event));
}

/*
 * Which side ended a connection out of turn. tcp_reset() sets the error to one of these before it closes, `ss -K` to
 * ECONNABORTED; who gives up a connection by itself goes to CLOSE without FIN and, at that time, without an error.
 */
static __always_inline enum network_side network_reset_by(int error, int oldstate)
{
	if (error == ECONNRESET || error == ECONNREFUSED || error == EPIPE)
		return network_side__remote;
	if (error == ECONNABORTED || (!error && (oldstate == STATE(ESTABLISHED) || oldstate == STATE(CLOSE_WAIT))))
		return network_side__local;
	return NEITHER_SIDE;
}

static __always_inline void network_tell_failed(struct sock *sk, int oldstate, __u64 id,
						const struct veil_identity *who)
{
	__u16 sport = network_sport(sk), dport = network_dport(sk);
	struct network_failed_event counted, *event;
	int error;

	if (!veil_identity_passes(who) || !network_ports_pass(sport, dport))
		return;
	event = veil_begin_as(&counted, &who->uid);
	if (!event)
		return;
	veil_event_init_as(&event->common, network_failed_event_kind, who);
	network_describe(sk, network_evt__FAILED, oldstate, STATE(CLOSE), sport, dport, id, &event->change);
	error = BPF_CORE_READ(sk, sk_err);
	event->errno = -(__s64)error;
	event->reset_by = network_reset_by(error, oldstate);
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
					       __u64 id, const struct veil_identity *who)
{
	__u16 sport = network_sport(sk), dport = network_dport(sk);
	struct network_close_event counted, *event;
	int error;

	if (!veil_identity_passes(who) || !network_ports_pass(sport, dport))
		return;
	event = veil_begin_as(&counted, &who->uid);
	if (!event)
		return;
	veil_event_init_as(&event->common, network_close_event_kind, who);
	network_describe(sk, network_evt__CLOSE, oldstate, STATE(CLOSE), sport, dport, id, &event->change);
	error = BPF_CORE_READ(sk, sk_err);
	event->reset_by = network_reset_by(error, oldstate);
	/* tcp_disconnect() sets it too, but only after the change of state. */
	event->errno = !error && event->reset_by == network_side__local ? -ECONNRESET : -(__s64)error;
	network_figures(sk, oldstate, socket, event);
	veil_submit(event, sizeof(*event));
}

/*
 * ---- who ----
 *
 * The running task is known to have a socket when it does something with it. Half of the events come later, in an
 * interrupt. Until then it may have ended, or passed the socket on, so both is looked up at the event.
 */

/*
 * The memory of a task that was freed can be read all the same, and may be another task's by now, which began at
 * another time.
 */
static __always_inline bool network_is_same(const struct network_process *process)
{
	struct task_struct *leader = (struct task_struct *)process->leader;

	return leader && BPF_CORE_READ(leader, start_time) == process->started_ns;
}

static __always_inline bool network_runs(struct task_struct *leader)
{
	return BPF_CORE_READ(leader, exit_state) != EXIT_DEAD && BPF_CORE_READ(leader, signal, live.counter) > 0;
}

/* Descriptors of a process among which a socket is looked for. Few at once: with its callers' the stack is full. */
#define FILES_AT_ONCE 4
#define FILES_MAX     1024

#define NO_SUCH_FILE -1L

/*
 * The descriptor that a process has of a file, which was `fd` when it was seen last. Where it has too many to look at,
 * it is not said that it has none. A global function, which the verifier walks once.
 */
__noinline long network_find_file(__u64 process, __u64 file, __u32 fd)
{
	struct task_struct *leader = (struct task_struct *)process;
	struct files_struct *own = BPF_CORE_READ(leader, files);
	__u64 found[FILES_AT_ONCE] = {}, files;
	struct fdtable *table;
	__u32 count;

	/* The first thread has ended, others may go on. */
	if (!own)
		return network_runs(leader) ? fd : NO_SUCH_FILE;
	table = BPF_CORE_READ(own, fdt);
	count = BPF_CORE_READ(table, max_fds);
	files = (__u64)BPF_CORE_READ(table, fd);
	if (fd < count && !bpf_probe_read_kernel(found, sizeof(*found), (void *)(files + fd * sizeof(*found))) &&
	    found[0] == file)
		return fd;
	for (__u32 first = 0; first < FILES_MAX; first += FILES_AT_ONCE) {
		if (first >= count ||
		    bpf_probe_read_kernel(found, sizeof(found), (void *)(files + first * sizeof(*found))))
			return NO_SUCH_FILE;
		for (__u32 i = 0; i < FILES_AT_ONCE; i++) {
			if (found[i] == file)
				return first + i;
		}
	}
	return fd;
}

/* Has a process a descriptor that is given out already, and whose file accept() is still to put there? */
__noinline int network_installs(__u64 process)
{
	struct fdtable *table = BPF_CORE_READ((struct task_struct *)process, files, fdt);
	__u64 files = (__u64)BPF_CORE_READ(table, fd), open = (__u64)BPF_CORE_READ(table, open_fds), word = 0, file;
	__u32 count = BPF_CORE_READ(table, max_fds);

	for (__u32 fd = 0; fd < FILES_MAX; fd++) {
		if (fd >= count)
			return 0;
		if (fd % 64 == 0 && bpf_probe_read_kernel(&word, sizeof(word), (void *)(open + fd / 8)))
			return 0;
		if (!(word >> fd % 64 & 1))
			continue;
		if (!bpf_probe_read_kernel(&file, sizeof(file), (void *)(files + fd * sizeof(file))) && !file)
			return 1;
	}
	return 0;
}

static __always_inline void network_process_of(struct task_struct *leader, __u32 fd, struct network_process *process)
{
	process->leader = (__u64)leader;
	process->started_ns = BPF_CORE_READ(leader, start_time);
	process->fd = fd;
}

static __always_inline bool network_has_file(struct network_process *process, struct file *file)
{
	long fd;

	if (!network_is_same(process))
		return false;
	fd = network_find_file(process->leader, (__u64)file, process->fd);
	if (fd == NO_SUCH_FILE)
		return false;
	process->fd = fd;
	return true;
}

/* The running task has the socket. */
static __always_inline void network_own(struct network_socket *socket, const struct veil_identity *who, __u32 fd)
{
	socket->who = *who;
	socket->known = 1;
	socket->installed = 1;
	network_process_of(veil_task_read(veil_current(), group_leader), fd, &socket->owner);
}

static __always_inline void network_inherit(struct network_socket *socket)
{
	struct task_struct *leader = (struct task_struct *)socket->heir.leader;

	socket->owner = socket->heir;
	socket->heir.leader = 0;
	socket->installed = 1;
	BPF_CORE_READ_INTO(&socket->who.comm, leader, comm);
	socket->who.pid = BPF_CORE_READ(leader, tgid);
	socket->who.tid = BPF_CORE_READ(leader, pid);
	socket->who.uid = BPF_CORE_READ(leader, cred, uid.val);
}

/* The process's own socket: that of MPTCP has the file. NULL where nobody has it (any more, or not yet). */
static __always_inline struct socket *network_socket_of(struct sock *sk)
{
	struct mptcp_sock *mptcp = network_mptcp_of(sk);

	return BPF_CORE_READ((struct sock *)(mptcp ? (void *)mptcp : (void *)sk), sk_socket);
}

/* The last descriptor is closed, and the kernel is about to close the socket. */
static __always_inline bool network_is_released(struct file *file)
{
	struct file___f_count *counted = (struct file___f_count *)file;

	if (bpf_core_field_exists(counted->f_count))
		return !BPF_CORE_READ(counted, f_count.counter);
	return BPF_CORE_READ(file, f_ref.refcnt.counter) < 0;
}

/* Makes sure that the owner in the record is the one that has the socket now. */
static __noinline bool network_confirm(struct network_socket *socket, struct sock *sk)
{
	struct socket *own = network_socket_of(sk);
	/* Before the look at the files: accept() may go on meanwhile on another CPU. */
	bool installed = *(volatile __u8 *)&socket->installed;
	struct file *file;

	if (!socket->known)
		return false;
	/* Nobody has what was closed: it is of the one that closed it. */
	if (!own)
		return true;
	file = BPF_CORE_READ(own, file);
	if (!file)
		return true; /* the kernel's own */
	if (network_has_file(&socket->owner, file)) {
		socket->installed = 1;
		return true;
	}
	if (!socket->heirs && network_has_file(&socket->heir, file)) {
		network_inherit(socket);
		return true;
	}
	/* accept() gives out the descriptor last, close() takes it back first: packets come in between. */
	if (!socket->heir.leader && network_is_same(&socket->owner) &&
	    (installed ? network_is_released(file) : network_installs(socket->owner.leader)))
		return true;
	socket->known = 0;
	return false;
}

/* A process that ends closes what it still has. */
static __always_inline bool network_closes_itself(const struct network_process *process)
{
	struct task_struct *leader = (struct task_struct *)process->leader;

	return network_is_same(process) &&
	       (leader == veil_task_read(veil_current(), group_leader) || network_runs(leader));
}

/* The listener that a connection came in by, if it is one process's. */
static __always_inline struct network_socket *network_listener_of(struct sock *sk, struct sock **listening)
{
	struct network_port key = network_port_of(sk);
	struct network_listener *listener = bpf_map_lookup_elem(&network_ports, &key);

	if (!listener || listener->shared || !listener->sk)
		return NULL;
	*listening = (struct sock *)listener->sk;
	return network_find(*listening);
}

/* Of the paths of an MPTCP connection the first knows who has it. NULL where this is that one, or that one is gone. */
static __always_inline struct sock *network_first_path_of(struct sock *sk)
{
	struct mptcp_sock *mptcp = network_mptcp_of(sk);
	struct sock *first = mptcp ? BPF_CORE_READ(mptcp, first) : NULL;

	return first == sk ? NULL : first;
}

/* Who has the socket at this moment, as far as it is known: 1, or 0. */
static __noinline int network_find_owner(struct sock *sk, struct veil_identity *who)
{
	struct network_socket *socket = network_find(sk), *other;
	struct sock *relative = network_first_path_of(sk);

	other = relative ? network_find(relative) : NULL;
	if (other && !other->waits && network_confirm(other, relative)) {
		if (socket) {
			socket->who = other->who;
			socket->owner = other->owner;
			socket->known = 1;
			socket->waits = 0;
		}
		*who = other->who;
		return 1;
	}
	if (!socket)
		return 0;
	if (socket->waits && !network_socket_of(sk)) {
		other = network_listener_of(sk, &relative);
		if (other) {
			if (!network_confirm(other, relative))
				return 0;
			/* For when the listener is gone: then this one is closed with it. */
			socket->who = other->who;
			socket->owner = other->owner;
			socket->known = 1;
			socket->installed = 0;
		} else if (!socket->known || !network_closes_itself(&socket->owner)) {
			return 0;
		}
	} else {
		socket->waits = 0; /* an accept() that was not seen */
		if (!network_confirm(socket, sk))
			return 0;
	}
	*who = socket->who;
	return 1;
}

static __always_inline void network_nobody(struct sock *sk, struct veil_identity *who)
{
	const struct veil_identity nobody = {
	    .comm = VEIL_COMM_UNKNOWN, .pid = VEIL_PID_UNKNOWN, .tid = VEIL_PID_UNKNOWN};

	*who = nobody;
	who->uid = BPF_CORE_READ(sk, sk_uid.val);
}

static __always_inline bool network_in_kernel_thread(void)
{
	return veil_task_read(veil_current(), flags) & PF_KTHREAD;
}

/* A thread of the kernel looks after the TCP sockets of MPTCP, for the process that has that one. */
static __always_inline bool network_acts_for_itself(struct sock *sk)
{
	return !network_in_kernel_thread() || !network_mptcp_of(sk);
}

static __always_inline void network_listening(struct sock *sk, __u32 pid, struct network_socket *socket)
{
	struct network_port key = network_port_of(sk);
	struct network_listener fresh = {.sk = (__u64)sk, .pid = pid, .sockets = 1}, *listener;

	if (!key.port)
		return; /* the kernel chooses one later */
	listener = bpf_map_lookup_elem(&network_ports, &key);
	if (listener) {
		__sync_fetch_and_add(&listener->sockets, 1);
		if (listener->pid != pid)
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
	if (listener->sockets <= 1) {
		bpf_map_delete_elem(&network_ports, &key);
		return;
	}
	__sync_fetch_and_add(&listener->sockets, -1);
	if (listener->sk == (__u64)sk)
		listener->sk = 0;
}

/* A socket that the kernel made for a finished handshake: a copy of the listener's. */
static __always_inline void network_born(struct sock *sk, __u64 cookie)
{
	struct network_socket *socket = network_remember(sk);

	if (!socket)
		return;
	socket->handshake = 1;
	socket->waits = 1;
	network_id(sk, socket, cookie);
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
		return network_evt__CLOSING;
	}
}

/* An MPTCP socket's own state tells who closes it; what becomes of the connection is told of the TCP sockets. */
static __always_inline void network_closes_mptcp(struct sock *sk, int oldstate, int newstate)
{
	struct network_socket *socket;
	struct veil_identity who;
	struct sock *first;

	if (!BPF_CORE_READ(sk, sk_lock.owned) || network_in_kernel_thread() ||
	    !network_deliberate(sk, oldstate, newstate))
		return;
	first = network_tcp_of(sk);
	socket = first ? network_find(first) : NULL;
	if (!socket)
		return;
	veil_identity_of_current(&who);
	socket->waits = 0;
	network_own(socket, &who, 0);
}

/* connect() or listen(): both by the running task, or by the kernel for another path of an MPTCP connection. */
static __always_inline void network_begun(struct sock *sk, int newstate, __u64 cookie)
{
	struct network_socket *socket = network_remember(sk);
	bool untold = socket && network_connect_hook && newstate == STATE(SYN_SENT);
	struct veil_identity who;
	__u64 id = network_id(sk, socket, cookie);

	if (network_acts_for_itself(sk)) {
		veil_identity_of_current(&who);
		if (socket)
			network_own(socket, &who, 0);
	} else if (!network_find_owner(sk, &who)) {
		network_nobody(sk, &who);
	}
	if (socket) {
		socket->handshake = 1;
		socket->active = newstate == STATE(SYN_SENT);
		socket->untold = untold;
		if (newstate == STATE(LISTEN))
			network_listening(sk, who.pid, socket);
	}
	if (!untold)
		network_tell(sk, network_evt_of(STATE(CLOSE), newstate), STATE(CLOSE), newstate, id, &who);
}

static __always_inline int network_changes(struct sock *sk, int oldstate, int newstate, __u64 cookie)
{
	struct network_socket *socket;
	struct veil_identity who;
	enum network_evt evt;
	__u16 protocol;
	bool acts;
	__u64 id;

	/* The tracepoint also tells of other protocols, and of a close() of what was closed already. */
	if (oldstate == newstate)
		return 0;
	protocol = BPF_CORE_READ(sk, sk_protocol);
	if (protocol == IPPROTO_MPTCP)
		network_closes_mptcp(sk, oldstate, newstate);
	if (protocol != IPPROTO_TCP)
		return 0;
	if (oldstate == STATE(CLOSE)) {
		network_begun(sk, newstate, cookie);
		return 0;
	}
	if (oldstate == STATE(LISTEN) && newstate == STATE(SYN_RECV)) {
		network_born(sk, cookie);
		return 0;
	}

	socket = network_find(sk);
	if (!socket && newstate != STATE(CLOSE))
		socket = network_remember(sk);
	id = network_id(sk, socket, cookie);
	if (socket && socket->untold) {
		/* tcp_connect() was not reached: there was no port or no route. */
		socket->untold = 0;
		who = socket->who;
		network_tell(sk, network_evt__CONNECT, STATE(CLOSE), STATE(SYN_SENT), id, &who);
	}

	/*
	 * In half of the cases the running task is a stranger that an interrupt stopped. It is a user of this socket
	 * where the socket is owned: packets and timers never touch a socket that a process has locked
	 * (sock_owned_by_user()), they wait until that process deals with them.
	 */
	acts = BPF_CORE_READ(sk, sk_lock.owned) && network_acts_for_itself(sk);
	if ((acts && network_deliberate(sk, oldstate, newstate)) || !network_find_owner(sk, &who)) {
		if (acts) {
			veil_identity_of_current(&who);
			if (socket) {
				socket->waits = 0;
				network_own(socket, &who, 0);
			}
		} else {
			network_nobody(sk, &who);
		}
	}

	if (newstate == STATE(ESTABLISHED) && socket)
		socket->established_ns = bpf_ktime_get_boot_ns();
	evt = network_evt_of(oldstate, newstate);
	if (evt == network_evt__FAILED)
		network_tell_failed(sk, oldstate, id, &who);
	else if (evt == network_evt__CLOSE && oldstate != STATE(LISTEN))
		network_tell_close(sk, oldstate, socket, id, &who);
	else
		network_tell(sk, evt, oldstate, newstate, id, &who);

	if (newstate == STATE(CLOSE)) {
		if (socket && socket->registered)
			network_listened(sk);
		network_forget(sk);
	}
	return 0;
}

/* The hooks of the kernel's own functions come before accept() has put the socket into the table of files. */
#define NOT_INSTALLED ((__u32)-1)

/* The running task got the socket from accept(). Its state stays as it is. */
static __always_inline int network_accepted(struct sock *sk, __u32 fd)
{
	struct network_socket *socket, *listener;
	struct sock *listening = NULL;
	struct veil_identity who;
	__u8 state;

	sk = network_tcp_of(sk);
	if (!sk)
		return 0;
	state = BPF_CORE_READ(sk, __sk_common.skc_state);
	veil_identity_of_current(&who);
	socket = network_find(sk);
	if (!socket && state != STATE(CLOSE))
		socket = network_remember(sk); /* its handshake was before the trace */
	if (socket) {
		/* Who accepts has the listener too: it came to it by a way that was not seen. */
		if (socket->waits && !socket->known) {
			listener = network_listener_of(sk, &listening);
			if (listener && !listener->known && !listener->heirs)
				network_own(listener, &who, 0);
		}
		socket->waits = 0;
		network_own(socket, &who, fd);
		socket->installed = fd != NOT_INSTALLED;
	}
	network_tell(sk, network_evt__ACCEPT, state, state, network_id(sk, socket, 0), &who);
	return 0;
}

static __always_inline int network_connects(struct sock *sk)
{
	struct network_socket *socket = network_find(sk);
	struct veil_identity who;

	if (!socket || !socket->untold)
		return 0;
	socket->untold = 0;
	who = socket->who;
	network_tell(sk, network_evt__CONNECT, STATE(CLOSE), STATE(SYN_SENT), network_id(sk, socket, 0), &who);
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
 * which one it has seen, and the second acts where that is another one. The second program is skipped only if it is
 * itself the interrupted one; the first then runs. A process's change is noted too: else a note that stayed because the
 * second was skipped could be taken for that of a later socket at the same address.
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

static __always_inline int network_first(struct sock *sk, int oldstate, int newstate, __u64 cookie)
{
	__u32 zero = 0;
	struct network_seen *seen = bpf_map_lookup_elem(&network_seen, &zero);

	if (seen) {
		seen->address = (__u64)sk;
		seen->oldstate = oldstate;
		seen->newstate = newstate;
	}
	return network_changes(sk, oldstate, newstate, cookie);
}

static __always_inline int network_second(struct sock *sk, int oldstate, int newstate, __u64 cookie)
{
	__u32 zero = 0;
	struct network_seen *seen = bpf_map_lookup_elem(&network_seen, &zero);

	if (!seen)
		return 0;
	if (seen->address == (__u64)sk && seen->oldstate == oldstate && seen->newstate == newstate) {
		seen->address = 0;
		return 0;
	}
	if (BPF_CORE_READ(sk, sk_lock.owned))
		return 0;
	return network_changes(sk, oldstate, newstate, cookie);
}

SEC("tp_btf/inet_sock_set_state")
int BPF_PROG(state_tp_btf, struct sock *sk, int oldstate, int newstate)
{
	return network_first(sk, oldstate, newstate, network_cookies ? bpf_get_socket_cookie(sk) : 0);
}

SEC("tp_btf/inet_sock_set_state")
int BPF_PROG(state_second_tp_btf, struct sock *sk, int oldstate, int newstate)
{
	return network_second(sk, oldstate, newstate, network_cookies ? bpf_get_socket_cookie(sk) : 0);
}

SEC("raw_tp/inet_sock_set_state")
int state_raw_tp(struct bpf_raw_tracepoint_args *ctx)
{
	return network_first((struct sock *)ctx->args[0], ctx->args[1], ctx->args[2], 0);
}

SEC("raw_tp/inet_sock_set_state")
int state_second_raw_tp(struct bpf_raw_tracepoint_args *ctx)
{
	return network_second((struct sock *)ctx->args[0], ctx->args[1], ctx->args[2], 0);
}

/* Here a second one is of no use: any program of this kind keeps all others of its kind from running. */
SEC("tracepoint/sock/inet_sock_set_state")
int state_tracepoint(struct trace_event_raw_inet_sock_set_state *ctx)
{
	return network_changes((struct sock *)ctx->skaddr, ctx->oldstate, ctx->newstate, 0);
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
	return network_accepted(sk, NOT_INSTALLED);
}

SEC("kprobe/security_sock_graft")
int BPF_KPROBE(graft_kprobe, struct sock *sk)
{
	return network_accepted(sk, NOT_INSTALLED);
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
	return network_accepted(sk, NOT_INSTALLED);
}

SEC("kretprobe/inet_csk_accept")
int BPF_KRETPROBE(accept_kprobe, struct sock *sk)
{
	return network_accepted(sk, NOT_INSTALLED);
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
	return file ? network_accepted(network_sock_of(file), fd) : 0;
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
 * ---- fork: the child has what the parent has ----
 *
 * A server that puts itself into the background ends after it, one that forks for each connection closes it after it.
 */
#define FORKED_FILES_MAX 256

/* Global as well. */
__noinline int network_bequeath(__u64 child, __u64 place, __u32 fd)
{
	struct file *file = NULL;
	struct network_socket *socket;
	struct veil_identity who;
	struct sock *sk;

	bpf_probe_read_kernel(&file, sizeof(file), (void *)place);
	if (!file)
		return 0;
	sk = network_tcp_of(network_sock_of(file));
	if (!sk)
		return 0;
	socket = network_find(sk);
	if (!socket)
		return 0;
	if (!socket->known || !network_has_file(&socket->owner, file)) {
		veil_identity_of_current(&who);
		network_own(socket, &who, fd);
	}
	if (socket->heir.leader && network_has_file(&socket->heir, file))
		socket->heirs = 1;
	network_process_of((struct task_struct *)child, fd, &socket->heir);
	return 0;
}

static __always_inline int network_forks(struct task_struct *child)
{
	struct files_struct *files = BPF_CORE_READ(child, files);
	struct fdtable *table;
	unsigned long *open, word = 0;
	struct file **places;
	__u64 leader = (__u64)BPF_CORE_READ(child, group_leader); /* itself, as a number */
	__u32 count;

	/* The same ones: a thread. */
	if (!files || files == BPF_CORE_READ(veil_current(), files))
		return 0;
	table = BPF_CORE_READ(files, fdt);
	count = BPF_CORE_READ(table, max_fds);
	places = BPF_CORE_READ(table, fd);
	open = BPF_CORE_READ(table, open_fds);
	for (__u32 fd = 0; fd < FORKED_FILES_MAX; fd++) {
		if (fd >= count)
			break;
		if (fd % 64 == 0)
			bpf_probe_read_kernel(&word, sizeof(word), open + fd / 64);
		if (word >> fd % 64 & 1)
			network_bequeath(leader, (__u64)(places + fd), fd);
	}
	return 0;
}

SEC("tp_btf/sched_process_fork")
int BPF_PROG(fork_tp_btf, struct task_struct *parent, struct task_struct *child)
{
	return network_forks(child);
}

SEC("raw_tp/sched_process_fork")
int fork_raw_tp(struct bpf_raw_tracepoint_args *ctx)
{
	return network_forks((struct task_struct *)ctx->args[1]);
}

/* The classic tracepoint has no pointer to the child, which is the last of its parent's. */
SEC("tracepoint/sched/sched_process_fork")
int fork_tracepoint(struct trace_event_raw_sched_process_fork *ctx)
{
	struct list_head *last = BPF_CORE_READ(veil_current(), children.prev);
	struct task_struct *child =
	    (void *)last - __builtin_preserve_field_info(((struct task_struct *)0)->sibling, BPF_FIELD_BYTE_OFFSET);

	return BPF_CORE_READ(child, pid) == ctx->child_pid ? network_forks(child) : 0;
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
	struct network_socket fresh = {.known = 1, .installed = 1}, *socket;
	__u64 address;
	struct sock *sk;
	long refused;

	if (!task || !file)
		return 0;
	sk = network_tcp_of(network_sock_of(file));
	if (!sk || BPF_CORE_READ(sk, __sk_common.skc_state) == STATE(CLOSE))
		return 0;
	BPF_CORE_READ_INTO(&fresh.who.comm, task, comm);
	fresh.who.pid = BPF_CORE_READ(task, tgid);
	fresh.who.tid = BPF_CORE_READ(task, pid);
	fresh.who.uid = BPF_CORE_READ(task, cred, uid.val);
	network_process_of(BPF_CORE_READ(task, group_leader), ctx->fd, &fresh.owner);
	address = (__u64)sk;
	refused = bpf_map_update_elem(&network_sockets, &address, &fresh, BPF_NOEXIST);
	if (refused && refused != -EEXIST) {
		veil_lost(VEIL_LOST_MAP_FULL);
		return 0;
	}
	socket = bpf_map_lookup_elem(&network_sockets, &address);
	if (!socket)
		return 0;
	if (refused) {
		if (socket->owner.leader == fresh.owner.leader)
			return 0;
		if (socket->heir.leader && socket->heir.leader != fresh.owner.leader)
			socket->heirs = 1;
		socket->heir = fresh.owner;
		return 0;
	}
	if (BPF_CORE_READ(sk, __sk_common.skc_state) == STATE(LISTEN))
		network_listening(sk, fresh.who.pid, socket);
	/* It was closed meanwhile, and nobody will take it out. */
	if (BPF_CORE_READ(sk, __sk_common.skc_state) == STATE(CLOSE))
		bpf_map_delete_elem(&network_sockets, &address);
	return 0;
}
