/* SPDX-License-Identifier: GPL-2.0-or-later */
/* TCP connections: their changes of state, who accepted them, and their totals as they close. */
#include <bpf/bpf_endian.h>
#include "veil/arch.bpf.h"
#include "veil/part.bpf.h"
#include "veil/result.bpf.h"

char _license[] SEC("license") = "GPL";

enum network_evt {
	network_evt__CONNECT,
	network_evt__ESTABLISHED,
	network_evt__ACCEPT,
	network_evt__CLOSING,
	network_evt__CLOSE,
	network_evt__FAILED,
	network_evt__LISTEN,
	network_evt__RETRANSMIT,
	network_evt__RESET,
	network_evt__DROP,
	network_evt__OVERFLOW,
	network_evt__OPEN,
	network_evt__SEND,
	network_evt__RECEIVE,
	network_evt__DNS,
	network_evt__TRAFFIC,
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
	network_state__UNKNOWN = 0xffffffff, /* a packet without a socket */
};

#define STATE(name) network_state__##name

#define IPPROTO_TCP   6
#define IPPROTO_UDP   17
#define IPPROTO_MPTCP 262
#define EPIPE	      32
#define EEXIST	      17
#define ECONNABORTED  103
#define ECONNRESET    104
#define ECONNREFUSED  111
#define SHUTDOWN_MASK 3		 /* include/net/sock.h: both directions */
#define SOCK_DONE     (1 << 1)	 /* enum sock_flags: the peer's FIN was taken in */
#define PF_KTHREAD    0x00200000 /* include/linux/sched.h */
#define ETH_P_IP      0x0800	 /* include/uapi/linux/if_ether.h */
#define ETH_P_IPV6    0x86DD
#define EXIT_DEAD     0x00000010

enum network_side {
	network_side__local,
	network_side__remote,
	network_side__neither = 0xffffffff, /* all ones: not known */
};

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
	veil_netns_t netns;
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

struct network_retransmit_event {
	struct veil_event common;
	struct network_change change;
	veil_bytes_t bytes;
};

struct network_traffic_event {
	struct veil_event common;
	struct network_change change;
	veil_bytes_t bytes;
	veil_bytes_t rx_bytes;
	veil_bytes_t tx_bytes;
};

struct network_reset_event {
	struct veil_event common;
	struct network_change change;
	enum network_side reset_by;
	veil_reason_t reason;
};

enum network_protocol {
	network_protocol__TCP = 6,
	network_protocol__UDP = 17,
};

struct network_drop_event {
	struct veil_event common;
	struct network_change change;
	veil_bytes_t bytes;
	veil_reason_t reason;
	enum network_protocol protocol;
};

struct network_overflow_event {
	struct veil_event common;
	struct network_change change;
	__u32 dropped;
	__u32 queued;
	__u32 queue_max;
};

struct network_datagram_event {
	struct veil_event common;
	struct network_change change;
	veil_bytes_t bytes;
	veil_errno_t errno;
};

/* Registered with IANA, "Domain Name System (DNS) Parameters". */
enum network_dns_type {
	network_dns_type__A = 1,
	network_dns_type__NS = 2,
	network_dns_type__CNAME = 5,
	network_dns_type__SOA = 6,
	network_dns_type__PTR = 12,
	network_dns_type__HINFO = 13,
	network_dns_type__MX = 15,
	network_dns_type__TXT = 16,
	network_dns_type__AAAA = 28,
	network_dns_type__LOC = 29,
	network_dns_type__SRV = 33,
	network_dns_type__NAPTR = 35,
	network_dns_type__DNAME = 39,
	network_dns_type__DS = 43,
	network_dns_type__SSHFP = 44,
	network_dns_type__RRSIG = 46,
	network_dns_type__NSEC = 47,
	network_dns_type__DNSKEY = 48,
	network_dns_type__NSEC3 = 50,
	network_dns_type__TLSA = 52,
	network_dns_type__SVCB = 64,
	network_dns_type__HTTPS = 65,
	network_dns_type__AXFR = 252,
	network_dns_type__ANY = 255,
	network_dns_type__CAA = 257,
};

enum network_dns_answer {
	network_dns_answer__NOERROR,
	network_dns_answer__FORMERR,
	network_dns_answer__SERVFAIL,
	network_dns_answer__NXDOMAIN,
	network_dns_answer__NOTIMP,
	network_dns_answer__REFUSED,
	network_dns_answer__YXDOMAIN,
	network_dns_answer__YXRRSET,
	network_dns_answer__NXRRSET,
	network_dns_answer__NOTAUTH,
	network_dns_answer__NOTZONE,
	network_dns_answer__NONE = 0xffffffff, /* there was none */
};

struct network_dns_event {
	struct veil_event common;
	struct network_change change;
	enum network_dns_type query_type;
	enum network_dns_answer answer;
	veil_some_number_t answers;
	veil_duration_t duration_ns;
	veil_dns_name_t query;
};

VEIL_EVENT(0, network_event);
VEIL_EVENT(1, network_close_event);
VEIL_EVENT(2, network_failed_event);
VEIL_EVENT(3, network_retransmit_event);
VEIL_EVENT(4, network_reset_event);
VEIL_EVENT(5, network_drop_event);
VEIL_EVENT(6, network_overflow_event);
VEIL_EVENT(7, network_datagram_event);
VEIL_EVENT(8, network_dns_event);
VEIL_EVENT(9, network_traffic_event);

VEIL_FILTER(event, __u32);
VEIL_FILTER(port, __u32);
VEIL_FILTER(netns, __u32);

/* --lifetimes: what a connection came to at its end, or when the trace ends. */
const volatile bool network_lifetimes;

/* CONNECT is emitted at tcp_connect(), where the socket has a local port. */
const volatile bool network_connect_hook;

/* From 5.12 on (commit c5dbb89fc2ac) bpf_get_socket_cookie() takes a typed pointer. */
const volatile bool network_cookies;

/* A process that has a descriptor of a socket. */
struct network_process {
	__u64 leader; /* its first thread, a struct task_struct */
	__u64 started_ns;
	__u32 fd; /* where the socket was last seen among its files */
};

/* A socket, by its address in the kernel, from its first change of state to its last. */
struct network_socket {
	__u64 id;
	__u64 established_ns;
	struct network_process owner;
	struct network_process heir; /* the child that the owner forked */
	struct veil_identity who;    /* of the owner */
	struct veil_origin origin;   /* of the owner */
	__u8 known;		     /* the owner is */
	__u8 installed;		     /* the owner was seen to have a descriptor of it */
	__u8 heirs;		     /* more than one child has it: then none of them is named */
	__u8 waits;		     /* for accept() */
	__u8 handshake;		     /* its handshake was seen from the start */
	__u8 active;		     /* it connected: its SYN counts as a byte that was acknowledged */
	__u8 connect_pending;	     /* its CONNECT is still to be emitted */
	__u8 registered;	     /* it is counted in network_ports */
	__u8 heir_followed;	     /* who forked the heir was in the trace */
	__u8 drops_known;
	__u8 moved_known;
	__u8 unused;
	__u32 drops;	/* of a listener, when it was last looked at */
	__u64 received; /* the same of a connection, in bytes */
	__u64 sent;
};

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 65536);
	__type(key, __u64);
	__type(value, struct network_socket);
} network_sockets SEC(".maps");

const struct network_socket network_nothing = {};

/* --protocol */
const volatile bool network_sees_tcp = true;
const volatile bool network_sees_udp;

/* A new connection belongs to the process that listens on its port, until it is accepted. */
struct network_port {
	__u64 net;
	__u64 port;
};

struct network_listener {
	__u64 sk; /* the first of them */
	__u32 pid;
	__u32 sockets;
	__u32 shared; /* by several processes (SO_REUSEPORT, several addresses): then none is named */
};

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 8192);
	__type(key, struct network_port);
	__type(value, struct network_listener);
} network_ports SEC(".maps");

static __always_inline __u16 network_sport(struct sock *sk)
{
	/* Not skc_num: inet_put_port() clears it before the change to CLOSE. */
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

	if (bpf_map_update_elem(&network_sockets, &address, &network_nothing, BPF_ANY)) {
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

/* ---- MPTCP: the process has a socket of protocol 262, on top of TCP sockets that the kernel has ---- */

static __always_inline bool network_is_tcp(struct sock *sk)
{
	/* The family too: netlink's protocols are numbers of their own. */
	__u16 family = BPF_CORE_READ(sk, __sk_common.skc_family);

	return BPF_CORE_READ(sk, sk_protocol) == IPPROTO_TCP &&
	       (family == network_family__IPv4 || family == network_family__IPv6);
}

/* The TCP socket of a process's socket. MPTCP may have several: the first, which made the connection. */
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

/* The MPTCP socket of a TCP socket. NULL: it has none. */
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

/* Does this kind of event always say that something failed? Of DNS those that do not have been dropped already. */
static __always_inline bool network_is_failure(enum network_evt evt)
{
	return evt == network_evt__FAILED || evt == network_evt__DNS ||
	       (evt >= network_evt__RETRANSMIT && evt <= network_evt__OVERFLOW);
}

/*
 * The module's own filters; `ports` are both, and `error` is positive. Either port counts, so that a denied one denies
 * whichever end it is on. A global function, which the verifier walks once.
 */
__noinline int network_passes(__u32 evt, __u32 ports, __u32 netns, __u32 error)
{
	__u32 one = ports >> 16, other = ports & 0xffff;

	if (veil_only_failed && !error && !network_is_failure(evt))
		return 0;
	return veil_filter_passes(event, &evt) && veil_filter_either_passes(port, &one, &other, VEIL_ANY) &&
	       veil_filter_passes(netns, &netns) && veil_filter_passes(errno, &error);
}

static __always_inline __u32 network_netns(struct sock *sk)
{
	return BPF_CORE_READ(sk, __sk_common.skc_net.net, ns.inum);
}

static __always_inline bool network_passes_of(struct sock *sk, enum network_evt evt, __u16 sport, __u16 dport,
					      int error)
{
	return network_passes(evt, (__u32)sport << 16 | dport, filter_netns_mode ? network_netns(sk) : 0, error);
}

/* ---- events ---- */

/*
 * Identifies a socket in all its events: its cookie, as ss shows it. If the kernel has made none and cannot be asked
 * to, a number of our own: larger than any cookie, and made of time and CPU so that it is unique.
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
	change->netns = network_netns(sk);
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

/* The parent and cgroup of who is found to have the socket; NULL: the running task's. */
static __always_inline const struct veil_origin *network_origin_of(struct sock *sk, const struct veil_identity *who)
{
	struct network_socket *socket;
	__u64 address = (__u64)sk;

	if (!veil_reads_parent && !veil_reads_cgroup)
		return NULL;
	if (who->tid == veil_current_tid())
		return NULL;
	socket = bpf_map_lookup_elem(&network_sockets, &address);
	return socket && socket->known && socket->who.pid == who->pid ? &socket->origin : &veil_no_origin;
}

/* A function, for its stack is not that of what calls it then. */
static __noinline bool network_task_passes(struct sock *sk, const struct veil_identity *who)
{
	return veil_identity_passes(who, network_origin_of(sk, who));
}

static __always_inline void network_emit(struct sock *sk, enum network_evt evt, int oldstate, int newstate, __u64 id,
					 const struct veil_identity *who)
{
	__u16 sport = network_sport(sk), dport = network_dport(sk);
	struct network_event counted, *event;

	/* A step on the way is no end and no failure. */
	if (network_lifetimes || veil_only_failed)
		return;
	if (!network_task_passes(sk, who) || !network_passes_of(sk, evt, sport, dport, 0))
		return;
	event = veil_reserve_as(&counted, &who->uid);
	if (!event)
		return;
	veil_event_init_as(&event->common, network_event_kind, who);
	network_describe(sk, evt, oldstate, newstate, sport, dport, id, &event->change);
	veil_submit_as(event, sizeof(*event), network_origin_of(sk, who));
}

/*
 * Which side reset a connection. tcp_reset() sets one of these errors before it closes, `ss -K` sets ECONNABORTED. A
 * side that gives up by itself goes to CLOSE without FIN and, at that time, without an error.
 */
static __always_inline enum network_side network_reset_by(int error, int oldstate)
{
	if (error == ECONNRESET || error == ECONNREFUSED || error == EPIPE)
		return network_side__remote;
	if (error == ECONNABORTED || (!error && (oldstate == STATE(ESTABLISHED) || oldstate == STATE(CLOSE_WAIT))))
		return network_side__local;
	return network_side__neither;
}

static __always_inline void network_failed_emit(struct sock *sk, int oldstate, __u64 id,
						const struct veil_identity *who)
{
	__u16 sport = network_sport(sk), dport = network_dport(sk);
	struct network_failed_event counted, *event;
	int error = BPF_CORE_READ(sk, sk_err);

	if (!network_task_passes(sk, who) || !network_passes_of(sk, network_evt__FAILED, sport, dport, error))
		return;
	event = veil_reserve_as(&counted, &who->uid);
	if (!event)
		return;
	veil_event_init_as(&event->common, network_failed_event_kind, who);
	network_describe(sk, network_evt__FAILED, oldstate, STATE(CLOSE), sport, dport, id, &event->change);
	event->errno = -(__s64)error;
	event->reset_by = network_reset_by(error, oldstate);
	veil_submit_as(event, sizeof(*event), network_origin_of(sk, who));
}

/*
 * The kernel counts sequence numbers: bytes_acked includes the SYN of the side that connected (the other side starts
 * after its own, tcp_create_openreq_child()) and our FIN, bytes_received the peer's FIN. They are no data, so subtract
 * them.
 */
static __always_inline void network_moved(struct sock *sk, int oldstate, const struct network_socket *socket,
					  __u64 *rx_bytes, __u64 *tx_bytes)
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
		/* What was sent, less what is in flight, was acknowledged, and does not include the SYN. */
		__u32 next = BPF_CORE_READ(tcp, snd_nxt);
		__u64 sent = BPF_CORE_READ(tcp, bytes_sent) - BPF_CORE_READ(tcp, bytes_retrans);
		__u64 under_way = next - una - (fin_sent && next == end && una != end ? 1 : 0);
		active = acked == sent - under_way + 1;
	}
	*tx_bytes = acked - (active ? 1 : 0);
	*rx_bytes = received - (BPF_CORE_READ(sk, __sk_common.skc_flags) & SOCK_DONE ? 1 : 0);
}

static __always_inline void network_figures(struct sock *sk, int oldstate, const struct network_socket *socket,
					    struct network_close_event *event)
{
	struct tcp_sock *tcp = (struct tcp_sock *)sk;

	network_moved(sk, oldstate, socket, &event->rx_bytes, &event->tx_bytes);
	event->retransmits = BPF_CORE_READ(tcp, total_retrans);
	event->srtt_us = BPF_CORE_READ(tcp, srtt_us) >> 3; /* kept times eight */
	event->duration_ns =
	    socket && socket->established_ns ? event->common.timestamp - socket->established_ns : VEIL_DURATION_UNKNOWN;
}

/* At the end of a connection, or of the trace. */
static __always_inline void network_close_emit(struct sock *sk, enum network_evt evt, int oldstate, int newstate,
					       const struct network_socket *socket, __u64 id,
					       const struct veil_identity *who)
{
	__u16 sport = network_sport(sk), dport = network_dport(sk);
	struct network_close_event counted, *event;
	int error = BPF_CORE_READ(sk, sk_err);
	enum network_side reset_by =
	    evt == network_evt__CLOSE ? network_reset_by(error, oldstate) : network_side__neither;

	/* tcp_disconnect() sets it too, but only after the change of state. */
	if (!error && reset_by == network_side__local)
		error = ECONNRESET;
	if (!network_task_passes(sk, who) || !network_passes_of(sk, evt, sport, dport, error))
		return;
	event = veil_reserve_as(&counted, &who->uid);
	if (!event)
		return;
	veil_event_init_as(&event->common, network_close_event_kind, who);
	network_describe(sk, evt, oldstate, newstate, sport, dport, id, &event->change);
	event->reset_by = reset_by;
	event->errno = -(__s64)error;
	network_figures(sk, oldstate, socket, event);
	veil_submit_as(event, sizeof(*event), network_origin_of(sk, who));
}

/*
 * ---- who ----
 *
 * A task that uses a socket has it. Half of the events come later, in an interrupt. By then the task may have ended, or
 * passed the socket on, so both are checked at the event.
 */

/*
 * The memory of a freed task can still be read, and may belong to another task by now: one that started at another
 * time.
 */
static __always_inline bool network_is_same(const struct network_process *process)
{
	struct task_struct *leader = (struct task_struct *)process->leader;

	return leader && BPF_CORE_READ(leader, start_time) == process->started_ns;
}

static __always_inline bool network_is_alive(struct task_struct *leader)
{
	return BPF_CORE_READ(leader, exit_state) != EXIT_DEAD && BPF_CORE_READ(leader, signal, live.counter) > 0;
}

/* How many descriptors of a process are searched. Few at once: the callers leave little stack. */
#define FILES_AT_ONCE 4
#define FILES_MAX     1024

#define NO_SUCH_FILE -1L

/*
 * The descriptor that a process has of a file; it was last seen at `fd`. If there are too many to search, `fd` again:
 * it may still have it. A global function, which the verifier walks once.
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
		return network_is_alive(leader) ? fd : NO_SUCH_FILE;
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

/* Does the process have a descriptor that is allocated and has no file yet, as within accept()? Eight at once without a
 * branch, for the verifier would go both ways at each: of an address the highest bit is set. */
__noinline int network_is_installing(__u64 process)
{
	struct fdtable *table = BPF_CORE_READ((struct task_struct *)process, files, fdt);
	__u64 files = (__u64)BPF_CORE_READ(table, fd), open = (__u64)BPF_CORE_READ(table, open_fds), found[8] = {};
	__u32 count = BPF_CORE_READ(table, max_fds);

	for (__u32 first = 0; first < FILES_MAX; first += 8) {
		__u8 allocated;
		__u64 files_there = 0;

		if (first >= count ||
		    bpf_probe_read_kernel(&allocated, sizeof(allocated), (void *)(open + first / 8)) ||
		    bpf_probe_read_kernel(found, sizeof(found), (void *)(files + first * sizeof(*found))))
			return 0;
		for (__u32 i = 0; i < 8; i++)
			files_there |= found[i] >> 63 << i;
		if (allocated & ~files_there)
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

/* The running task owns the socket. */
static __always_inline void network_own(struct network_socket *socket, const struct veil_identity *who, __u32 fd)
{
	socket->who = *who;
	veil_task_origin(veil_current(), &socket->origin);
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
	socket->who.followed = socket->heir_followed;
	veil_identity_of(veil_task_at(leader), &socket->who);
	veil_task_origin(veil_task_at(leader), &socket->origin);
}

/* The socket that the process sees: the MPTCP one, if there is one. NULL: no process has it (any more, or yet). */
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

/* Checks that the recorded owner still has the socket, and passes it to the heir if not. */
static __noinline bool network_confirm(struct network_socket *socket, struct sock *sk)
{
	struct socket *own = network_socket_of(sk);
	/* Read before the files: accept() may go on on another CPU. */
	bool installed = *(volatile __u8 *)&socket->installed;
	struct file *file;

	if (!socket->known)
		return false;
	/* Closed: it is still the last owner's. */
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
	/* Packets may come before accept() has installed the descriptor, and after close() has removed it. */
	if (!socket->heir.leader && network_is_same(&socket->owner) &&
	    (installed ? network_is_released(file) : network_is_installing(socket->owner.leader)))
		return true;
	socket->known = 0;
	return false;
}

/* Is this process going to close it, if only by ending? */
static __always_inline bool network_will_close(const struct network_process *process)
{
	struct task_struct *leader = (struct task_struct *)process->leader;

	return network_is_same(process) &&
	       (leader == veil_task_read(veil_current(), group_leader) || network_is_alive(leader));
}

/* The listener of a connection, if it is one process's. */
static __always_inline struct network_socket *network_listener_of(struct sock *sk, struct sock **listening)
{
	struct network_port key = network_port_of(sk);
	struct network_listener *listener = bpf_map_lookup_elem(&network_ports, &key);

	if (!listener || listener->shared || !listener->sk)
		return NULL;
	*listening = (struct sock *)listener->sk;
	return network_find(*listening);
}

/* The first path of an MPTCP connection, whose record has the owner. NULL: this is the first, or it is gone. */
static __always_inline struct sock *network_first_path_of(struct sock *sk)
{
	struct mptcp_sock *mptcp = network_mptcp_of(sk);
	struct sock *first = mptcp ? BPF_CORE_READ(mptcp, first) : NULL;

	return first == sk ? NULL : first;
}

/* Finds who has the socket now. 0: not known. */
static __noinline int network_find_owner(struct sock *sk, struct veil_identity *who)
{
	struct network_socket *socket = network_find(sk), *other;
	struct sock *relative = network_first_path_of(sk);

	other = relative ? network_find(relative) : NULL;
	if (other && !other->waits && network_confirm(other, relative)) {
		if (socket) {
			socket->who = other->who;
			socket->origin = other->origin;
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
			/* Kept for when the listener is gone: its sockets are closed with it. */
			socket->who = other->who;
			socket->origin = other->origin;
			socket->owner = other->owner;
			socket->known = 1;
			socket->installed = 0;
		} else if (!socket->known || !network_will_close(&socket->owner)) {
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

static __always_inline void network_set_nobody(struct sock *sk, struct veil_identity *who)
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

/* A kernel thread may act on the TCP sockets of MPTCP, for the process that has the connection. */
static __always_inline bool network_acts_for_itself(struct sock *sk)
{
	return !network_in_kernel_thread() || !network_mptcp_of(sk);
}

static __always_inline void network_listener_add(struct sock *sk, __u32 pid, struct network_socket *socket)
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

static __always_inline void network_listener_drop(struct sock *sk)
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

/* A handshake ended: the kernel made a socket for it, a copy of the listener's. */
static __always_inline void network_handshake_end(struct sock *sk, __u64 cookie)
{
	struct network_socket *socket = network_remember(sk);

	if (!socket)
		return;
	socket->handshake = 1;
	socket->waits = 1;
	network_id(sk, socket, cookie);
}

/*
 * Is this done by a process, and not by a packet? Then that process is named, even if the socket was another's before.
 * A close() that gives up unread data shuts down first (__tcp_close()), an incoming reset does not: sk_shutdown tells.
 */
static __always_inline bool network_is_deliberate(struct sock *sk, int oldstate, int newstate)
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

/* An MPTCP socket's own state shows who closes it. The events are those of its TCP sockets. */
static __always_inline void network_mptcp_close(struct sock *sk, int oldstate, int newstate)
{
	struct network_socket *socket;
	struct veil_identity who;
	struct sock *first;

	if (!BPF_CORE_READ(sk, sk_lock.owned) || network_in_kernel_thread() ||
	    !network_is_deliberate(sk, oldstate, newstate))
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
static __always_inline void network_start(struct sock *sk, int newstate, __u64 cookie)
{
	struct network_socket *socket = network_remember(sk);
	bool connect_pending = socket && network_connect_hook && newstate == STATE(SYN_SENT);
	struct veil_identity who;
	__u64 id = network_id(sk, socket, cookie);

	if (network_acts_for_itself(sk)) {
		veil_identity_of_current(&who);
		if (socket)
			network_own(socket, &who, 0);
	} else if (!network_find_owner(sk, &who)) {
		network_set_nobody(sk, &who);
	}
	if (socket) {
		socket->handshake = 1;
		socket->active = newstate == STATE(SYN_SENT);
		socket->connect_pending = connect_pending;
		if (newstate == STATE(LISTEN))
			network_listener_add(sk, who.pid, socket);
	}
	if (!connect_pending)
		network_emit(sk, network_evt_of(STATE(CLOSE), newstate), STATE(CLOSE), newstate, id, &who);
}

static __always_inline int network_state_change(struct sock *sk, int oldstate, int newstate, __u64 cookie)
{
	struct network_socket *socket;
	struct veil_identity who;
	enum network_evt evt;
	__u16 protocol;
	bool acts, known;
	__u64 id;

	/* The tracepoint is also hit by other protocols, and by a close() of what was closed already. */
	if (oldstate == newstate)
		return 0;
	protocol = BPF_CORE_READ(sk, sk_protocol);
	if (protocol == IPPROTO_MPTCP)
		network_mptcp_close(sk, oldstate, newstate);
	if (protocol != IPPROTO_TCP)
		return 0;
	if (oldstate == STATE(CLOSE)) {
		network_start(sk, newstate, cookie);
		return 0;
	}
	if (oldstate == STATE(LISTEN) && newstate == STATE(SYN_RECV)) {
		network_handshake_end(sk, cookie);
		return 0;
	}

	socket = network_find(sk);
	if (!socket && newstate != STATE(CLOSE))
		socket = network_remember(sk);
	id = network_id(sk, socket, cookie);
	if (socket && socket->connect_pending) {
		/* tcp_connect() was not reached: there was no port or no route. */
		socket->connect_pending = 0;
		who = socket->who;
		network_emit(sk, network_evt__CONNECT, STATE(CLOSE), STATE(SYN_SENT), id, &who);
	}

	/*
	 * In half of the cases the running task was only interrupted, and has nothing to do with the socket. It uses
	 * the socket if it holds the lock: packets and timers leave a locked socket alone until the process has
	 * released it (sock_owned_by_user()).
	 */
	acts = BPF_CORE_READ(sk, sk_lock.owned) && network_acts_for_itself(sk);
	known = !(acts && network_is_deliberate(sk, oldstate, newstate)) && network_find_owner(sk, &who);
	if (!known && acts) {
		veil_identity_of_current(&who);
		if (socket) {
			socket->waits = 0;
			network_own(socket, &who, 0);
		}
	} else if (!known) {
		network_set_nobody(sk, &who);
	}

	if (newstate == STATE(ESTABLISHED) && socket)
		socket->established_ns = bpf_ktime_get_boot_ns();
	evt = network_evt_of(oldstate, newstate);
	if (evt == network_evt__FAILED)
		network_failed_emit(sk, oldstate, id, &who);
	else if (evt == network_evt__CLOSE && oldstate != STATE(LISTEN))
		network_close_emit(sk, evt, oldstate, newstate, socket, id, &who);
	else
		network_emit(sk, evt, oldstate, newstate, id, &who);

	if (newstate == STATE(CLOSE)) {
		if (socket && socket->registered)
			network_listener_drop(sk);
		network_forget(sk);
	}
	return 0;
}

/* The fentry and kprobe hooks come before accept() has installed the descriptor. */
#define NOT_INSTALLED ((__u32)-1)

/* The running task got the socket from accept(). Its state stays as it is. */
static __always_inline int network_accept_end(struct sock *sk, __u32 fd)
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
		/* A task that accepts has the listener too, however it got it. */
		if (socket->waits && !socket->known) {
			listener = network_listener_of(sk, &listening);
			if (listener && !listener->known && !listener->heirs)
				network_own(listener, &who, 0);
		}
		socket->waits = 0;
		network_own(socket, &who, fd);
		socket->installed = fd != NOT_INSTALLED;
	}
	network_emit(sk, network_evt__ACCEPT, state, state, network_id(sk, socket, 0), &who);
	return 0;
}

static __always_inline int network_connect_start(struct sock *sk)
{
	struct network_socket *socket = network_find(sk);
	struct veil_identity who;

	if (!socket || !socket->connect_pending)
		return 0;
	socket->connect_pending = 0;
	who = socket->who;
	network_emit(sk, network_evt__CONNECT, STATE(CLOSE), STATE(SYN_SENT), network_id(sk, socket, 0), &who);
	return 0;
}

/*
 * ---- changes of state ----
 *
 * The kernel does not run a program while the same one runs on that CPU (raw tracepoints: from 6.1 on, commit
 * 05b24ff9b2cf). A process that changes a socket's state may be interrupted within the program, and packets that are
 * handled then change the states of other sockets: in a busy server one of a hundred connections. So a second program
 * follows the first, for the changes that the first was skipped for.
 *
 * Those are made by packets and timers, and no two of them nest on a CPU. The first program notes the change that it
 * has seen, and the second acts if that was another one. The second program is skipped only if it is itself the
 * interrupted one; the first then runs. A process's change is noted too: otherwise an old note, left because the second
 * was skipped, could match a later socket at the same address.
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
	return network_state_change(sk, oldstate, newstate, cookie);
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
	return network_state_change(sk, oldstate, newstate, cookie);
}

SEC("tp_btf/inet_sock_set_state")
int BPF_PROG(network_state_tp_btf, struct sock *sk, int oldstate, int newstate)
{
	return network_first(sk, oldstate, newstate, network_cookies ? bpf_get_socket_cookie(sk) : 0);
}

SEC("tp_btf/inet_sock_set_state")
int BPF_PROG(network_state_second_tp_btf, struct sock *sk, int oldstate, int newstate)
{
	return network_second(sk, oldstate, newstate, network_cookies ? bpf_get_socket_cookie(sk) : 0);
}

SEC("raw_tp/inet_sock_set_state")
int network_state_raw_tp(struct bpf_raw_tracepoint_args *ctx)
{
	return network_first((struct sock *)ctx->args[0], ctx->args[1], ctx->args[2], 0);
}

SEC("raw_tp/inet_sock_set_state")
int network_state_second_raw_tp(struct bpf_raw_tracepoint_args *ctx)
{
	return network_second((struct sock *)ctx->args[0], ctx->args[1], ctx->args[2], 0);
}

/* A second one would not help: while a program at a classic tracepoint runs, no other of its kind does. */
SEC("tracepoint/sock/inet_sock_set_state")
int network_state_tracepoint(struct trace_event_raw_inet_sock_set_state *ctx)
{
	return network_state_change((struct sock *)ctx->skaddr, ctx->oldstate, ctx->newstate, 0);
}

/* ---- kernel functions, where they can be hooked ---- */

SEC("fentry/tcp_connect")
int BPF_PROG(network_connect_fentry, struct sock *sk)
{
	return network_connect_start(sk);
}

SEC("kprobe/tcp_connect")
int BPF_KPROBE(network_connect_kprobe, struct sock *sk)
{
	return network_connect_start(sk);
}

/*
 * Where accept() ties the new socket to its file, with the socket locked (sock_graft()). The return of
 * inet_csk_accept() is worse: it comes before the lock, so it races with the last step of the handshake, and a
 * kretprobe on it runs out of instances (maxactive) where many threads wait.
 */
SEC("fentry/security_sock_graft")
int BPF_PROG(network_graft_fentry, struct sock *sk)
{
	return network_accept_end(sk, NOT_INSTALLED);
}

SEC("kprobe/security_sock_graft")
int BPF_KPROBE(network_graft_kprobe, struct sock *sk)
{
	return network_accept_end(sk, NOT_INSTALLED);
}

/*
 * Without CONFIG_SECURITY_NETWORK that function does not exist. The result follows the arguments, which went into a
 * struct in 6.10 (commit 92ef0fd55ac8). Assembly, because the compiler would merge both loads into one at a computed
 * offset, which the verifier refuses.
 */
SEC("fexit/inet_csk_accept")
int network_accept_fentry(__u64 *ctx)
{
	struct sock *sk;

	if (bpf_core_type_exists(struct proto_accept_arg))
		asm volatile("%0 = *(u64 *)(%1 + 16)" : "=r"(sk) : "r"(ctx));
	else
		asm volatile("%0 = *(u64 *)(%1 + 32)" : "=r"(sk) : "r"(ctx));
	return network_accept_end(sk, NOT_INSTALLED);
}

SEC("kretprobe/inet_csk_accept")
int BPF_KRETPROBE(network_accept_kprobe, struct sock *sk)
{
	return network_accept_end(sk, NOT_INSTALLED);
}

/* ---- otherwise the accept system calls: the returned descriptor leads to the socket ---- */

/* NULL: the file is no socket. A socket points back to its file. */
static __always_inline struct sock *network_sock_of(struct file *file)
{
	struct socket *socket = BPF_CORE_READ(file, private_data);

	if (!socket || BPF_CORE_READ(socket, file) != file)
		return NULL;
	return BPF_CORE_READ(socket, sk);
}

static __always_inline int network_accept_call_end(long fd)
{
	struct file *file = fd < 0 ? NULL : veil_current_file(fd);

	/* Another thread may have replaced the file by now; what is no TCP socket is ignored. */
	return file ? network_accept_end(network_sock_of(file), fd) : 0;
}

/*
 * Every system call of the machine comes here, so the number is checked first. A 32-bit call's number means another
 * call in the 64-bit table.
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

#endif

SEC("tp_btf/sys_exit")
int BPF_PROG(network_accept_tp_btf, struct pt_regs *regs, long ret)
{
	if (ret < 0 || !network_is_accept(regs, veil_syscall_nr_btf(regs)))
		return 0;
	return network_accept_call_end(ret);
}

SEC("raw_tp/sys_exit")
int network_accept_raw_tp(struct bpf_raw_tracepoint_args *ctx)
{
	void *regs = (void *)ctx->args[0];
	long ret = ctx->args[1];

	if (ret < 0 || !network_is_accept(regs, veil_syscall_nr(regs)))
		return 0;
	return network_accept_call_end(ret);
}

SEC("tracepoint/syscalls/sys_exit_accept")
int network_accept_tracepoint(struct trace_event_raw_sys_exit *ctx)
{
	return network_accept_call_end(ctx->ret);
}

SEC("tracepoint/syscalls/sys_exit_accept4")
int network_accept4_tracepoint(struct trace_event_raw_sys_exit *ctx)
{
	return network_accept_call_end(ctx->ret);
}

/*
 * ---- fork: the child has what the parent has ----
 *
 * A server that goes into the background ends its parent, one that forks for each connection closes it in its parent.
 */
#define FORKED_FILES_MAX 256

/* A global function too. */
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
	/* The child of one that is in the trace is followed. */
	socket->heir_followed = veil_follow && veil_current_passes(true);
	return 0;
}

static __always_inline int network_fork(struct task_struct *child)
{
	struct task_struct *parent = veil_current().address;
	struct files_struct *files = BPF_CORE_READ(child, files);
	struct fdtable *table;
	unsigned long *open, word = 0;
	struct file **places;
	__u64 leader = (__u64)BPF_CORE_READ(child, group_leader); /* itself, as a number */
	__u32 count;

	/* A thread shares its files. */
	if (!files || files == BPF_CORE_READ(parent, files))
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
int BPF_PROG(network_fork_tp_btf, struct task_struct *parent, struct task_struct *child)
{
	return network_fork(child);
}

SEC("raw_tp/sched_process_fork")
int network_fork_raw_tp(struct bpf_raw_tracepoint_args *ctx)
{
	return network_fork((struct task_struct *)ctx->args[1]);
}

/* The classic tracepoint has no pointer to the child: it is the last in its parent's list. */
SEC("tracepoint/sched/sched_process_fork")
int network_fork_tracepoint(struct trace_event_raw_sched_process_fork *ctx)
{
	struct task_struct *parent = veil_current().address;
	struct list_head *last = BPF_CORE_READ(parent, children.prev);
	struct task_struct *child = (void *)last - bpf_core_field_offset(struct task_struct, sibling);

	return BPF_CORE_READ(child, pid) == ctx->child_pid ? network_fork(child) : 0;
}

/*
 * ---- sockets from before the trace ----
 *
 * Runs once over the files of all processes, after the hooks are attached. If several have a socket the first one owns
 * it, which after a fork is usually the parent.
 */
SEC("iter/task_file")
int network_sockets_iter(struct bpf_iter__task_file *ctx)
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
	veil_identity_of(veil_task_at(task), &fresh.who);
	veil_task_origin(veil_task_at(task), &fresh.origin);
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
		network_listener_add(sk, fresh.who.pid, socket);
	/* It was closed meanwhile: no hook will drop the record. */
	if (BPF_CORE_READ(sk, __sk_common.skc_state) == STATE(CLOSE))
		bpf_map_delete_elem(&network_sockets, &address);
	return 0;
}

#include "packets.bpf.h"
#include "open.bpf.h"
#include "datagrams.bpf.h"
