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
#define MAX 6

byte now;
bool revoked;                   /* the database: the revocation is committed */
bool row[N];                    /* the database: the replica is registered */
bool acknowledged[N];
bool returned;                  /* the revoking call returned */

byte lease[N];                  /* a replica's memory: the end of its lease */
bool applied[N];                /* what it answers from: has it the revocation? ... */
byte expiry[N];                 /* ... and until when may it be answered from */
bool busy[N];                   /* who changes those two, alone */
byte life[N];                   /* a crash ends one */
bool fine[N];                   /* mutant FLAG: somebody said that the lease is good */

inline publish(i, s, e) { applied[i] = s; expiry[i] = e }
inline lock(i) { atomic { !busy[i]; busy[i] = true } }
inline unlock(i) { busy[i] = false }

/* Registers, renews, crashes. */
proctype Keeper(byte i)
{
    byte before, end; bool s; bool crashed;
begin:
    s = revoked;                                /* the facts are loaded */
    before = now;
    row[i] = true;
#ifndef SNAPSHOT_FIRST
    s = revoked;                                /* the log is read after registering */
#endif
    lock(i);
    d_step { lease[i] = before + TTL; publish(i, s, lease[i]) }
    unlock(i);
    do
    :: now < MAX ->
        before = now;
        if
        :: !row[i] -> goto begin                /* others took it for dead */
        :: else                                 /* the renewal is committed */
        fi;
#ifdef FROM_RECEIPT
        end = now + TTL;
#else
        end = before + TTL;
#endif
        lease[i] = end;
        lock(i);
#ifndef WITHOUT_THE_LOG
        s = revoked;
#else
        s = applied[i];
#endif
#ifdef ACKNOWLEDGE_FIRST
        acknowledged[i] = acknowledged[i] || s;
#endif
        d_step { publish(i, s, end) }
        unlock(i);
        acknowledged[i] = acknowledged[i] || s
    :: now < MAX && !crashed && !busy[i] ->     /* a crash: memory is gone, the row stays */
        d_step { crashed = true; life[i]++; lease[i] = 0; publish(i, false, 0) }
        goto begin
    :: now == MAX -> break
    od
}

/* Hears of a change, or not, and follows. */
proctype Follower(byte i)
{
    byte end, mine; bool s;
    do
    :: now < MAX && lease[i] > 0 ->
        lock(i);
        mine = life[i];
#ifdef LATE_EXPIRY
        s = revoked;
        end = lease[i];
#else
        end = lease[i];                         /* before the log is read */
        s = revoked;
#endif
#ifdef ACKNOWLEDGE_FIRST
        acknowledged[i] = acknowledged[i] || s;
#endif
        if
        :: mine == life[i] -> d_step { publish(i, s, end) }
        :: else                                 /* it died with its process */
        fi;
        unlock(i);
        acknowledged[i] = acknowledged[i] || (s && mine == life[i])
    :: now == MAX -> break
    od
}

/* Asks once, at any time: one check shows as much as many. */
proctype Checker(byte i)
{
    bool after, s; byte end, t;
    d_step { after = returned; s = applied[i]; end = expiry[i] }
#ifdef CURRENT_LEASE
    d_step { t = now; end = expiry[i] }
#else
    t = now;                                    /* the clock last */
#endif
#ifdef FLAG
    assert(!(after && !s && fine[i]))
#else
    assert(!(after && !s && t < end))
#endif
}

#ifdef FLAG
proctype Watchdog(byte i)
{
    do
    :: now < MAX -> d_step { fine[i] = now < expiry[i] }
    :: now == MAX -> break
    od
}
#endif

proctype Revoker()
{
    byte start, i; bool waits[N];
    revoked = true;
#ifndef WITHOUT_WAITING
    d_step { waits[0] = row[0] && !acknowledged[0]; waits[1] = row[1] && !acknowledged[1] }
    start = now;                                /* after the rows were read */
    for (i : 0 .. N - 1) {
        if
        :: waits[i] ->
            if
            :: acknowledged[i]
            :: now >= start + TTL -> row[i] = false
            fi
        :: else
        fi
    }
#endif
    returned = true
}

active proctype Clock()
{
    do
    :: now < MAX -> now++
    :: now == MAX -> break
    od
}

init {
    atomic {
        run Keeper(0); run Follower(0); run Checker(0);
        run Keeper(1); run Checker(1);
#ifdef FLAG
        run Watchdog(0);
#endif
        run Revoker()
    }
}
