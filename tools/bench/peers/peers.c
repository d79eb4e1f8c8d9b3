/* SPDX-License-Identifier: Apache-2.0 */
/*
 * peers.c - the one list of peers, present and missing ones alike
 */
#include "tools/bench/peers/peer.h"

const struct bench_peer *const bench_peers[] = {
	&bench_peer_ck_sequence, &bench_peer_ck_ring, &bench_peer_libqb,    &bench_peer_mmv,
	&bench_peer_unix_dgram,	 &bench_peer_pipe,    &bench_peer_textfile,
};

const unsigned bench_peers_count = sizeof(bench_peers) / sizeof(bench_peers[0]);
