/* Leases: a revocation that returned is real on every replica.
 *
 * Two replicas, one revocation, one database. A step of a process is atomic; between steps anything may
 * happen to it, so a pause is time going on, a lost message is a step that never comes, and a crash is a
 * beginning anew with nothing but the row in the database left. Time is whole; clocks do not drift (the
 * code adds what they may: TTL * (1 + e) + d).
 *
 * Each MUTANT is one rule left out; `check` sees to it that each is caught.
 */

#define N 2
#define TTL 2
#define MAX 3
#define RENEWALS 1                              /* of a replica, at any time */

byte now;
bool revoked;                   /* the database: the revocation is committed */
bool row[N];                    /* the database: the replica is registered */
bool acknowledged[N];
bool returned;                  /* the revoking call returned */
bool answered;                  /* the check is done: what comes after is of no interest */

byte lease[N];                  /* a replica's memory: the end of its lease */
bool applied[N];                /* what it answers from: has it the revocation? ... */
byte expiry[N];                 /* ... and until when may it be answered from */
bool busy[N];                   /* who changes those two, alone */
bool crashed;                   /* of the first replica, and only once */
bool fine[N];                   /* mutant FLAG: somebody said that the lease is good */

inline publish(i, s, e) { applied[i] = s; expiry[i] = e }
inline unlock(i) { busy[i] = false }

/* Registers, renews, crashes. */
proctype Keeper(byte i)
{
    byte before, end, renewals; bool s;
begin:
#ifdef SNAPSHOT_FIRST
    s = revoked;                                /* the facts are read, then comes the row */
#endif
    before = now;
    row[i] = true;
#ifndef SNAPSHOT_FIRST
    atomic { !busy[i]; busy[i] = true; s = revoked }                       /* the log is read after registering */
#else
    atomic { !busy[i]; busy[i] = true }
#endif
    d_step { lease[i] = before + TTL; publish(i, s, lease[i]); before = 0; s = false; unlock(i) }
    do
    :: !answered && renewals < RENEWALS ->
        d_step { before = now; renewals++ }
        if
        :: !row[i] -> goto begin                /* others took it for dead */
        :: else                                 /* the renewal is committed */
        fi;
        d_step { end = before + TTL; before = 0; lease[i] = end }
#ifndef WITHOUT_THE_LOG
        atomic { !busy[i]; busy[i] = true; s = revoked }
#else
        atomic { !busy[i]; busy[i] = true; s = applied[i] }
#endif
#ifdef ACKNOWLEDGE_FIRST
        acknowledged[i] = acknowledged[i] || s;
#endif
#ifdef FROM_RECEIPT
        d_step { end = now + TTL; lease[i] = end }
#endif
        d_step { publish(i, s, end); end = 0; unlock(i) }
        d_step { acknowledged[i] = acknowledged[i] || s; s = false }
    :: !answered && !crashed && !busy[i] ->     /* a crash: memory is gone, the row stays */
        d_step { crashed = true; lease[i] = 0; publish(i, false, 0) }
        goto begin
    :: answered -> break
    od
}

/* A second replica, there from the start, in whose steps nothing comes between; perhaps it never takes one. */
proctype Other()
{
    if
    :: d_step { row[1] -> publish(1, revoked, now + TTL); acknowledged[1] = revoked }
    :: d_step { publish(1, revoked, expiry[1]); acknowledged[1] = revoked }
    fi
}

/* Follows once, at any time: because it heard of the revocation, or of something else. Hearing nothing is the
 * same without it.
 */
proctype Follower(byte i)
{
    byte end; bool s, older;
    if
    :: revoked ->
#ifndef ACKNOWLEDGE_FIRST
        atomic { !busy[i]; expiry[i] = 0 }      /* answer no more ... */
#endif
        acknowledged[i] = true                  /* ... say so, and only then follow */
    :: true
    fi;
#ifdef LATE_EXPIRY
    atomic { !busy[i]; busy[i] = true; s = revoked; older = crashed }
    end = lease[i];
#else
    atomic { !busy[i]; busy[i] = true; end = lease[i]; older = crashed }
    s = revoked;                                /* the end is known before the log is read */
#endif
    if
    :: older == crashed && end > 0 -> d_step { publish(i, s, end); unlock(i) }
    :: else -> unlock(i)                        /* it has no lease, or died with its process */
    fi;
    d_step { acknowledged[i] = acknowledged[i] || (s && older == crashed) }
}

/* Asks once, at any time: one check shows as much as many. */
proctype Checker()
{
    bool s; byte i, end, t;
    returned;                                   /* one that begins before may be allowed */
    if :: i = 0 :: i = 1 fi;
    d_step { s = applied[i]; end = expiry[i] }
#ifdef CURRENT_LEASE
    d_step { t = now; end = expiry[i] }
#else
    t = now;                                    /* the clock last */
#endif
#ifdef FLAG
    assert(!(!s && fine[i]))
#else
    assert(!(!s && t < end))
#endif
    answered = true
}

#ifdef FLAG
proctype Watchdog(byte i)
{
    do
    :: !answered -> d_step { fine[i] = now < expiry[i] }
    :: answered -> break
    od
}
#endif

proctype Revoker()
{
    byte start; bool first, second;
    revoked = true;
#ifndef WITHOUT_WAITING
    d_step {
        first = row[0] && !acknowledged[0];
        second = row[1] && !acknowledged[1];
        start = now                             /* after the rows were read */
    }
    d_step {
        (!first || acknowledged[0] || now >= start + TTL) && (!second || acknowledged[1] || now >= start + TTL) ->
        row[0] = row[0] && (!first || acknowledged[0]);
        row[1] = row[1] && (!second || acknowledged[1])
    }
#endif
    returned = true
}

active proctype Clock()
{
    do
    :: !answered && now < MAX -> now++
    :: answered -> break
    od
}

init {
    atomic {
        row[1] = true; publish(1, false, TTL);
        run Keeper(0); run Follower(0); run Other();
#ifdef FLAG
        run Watchdog(0);
#endif
        run Revoker(); run Checker()
    }
}
