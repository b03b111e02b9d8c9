"""Decision points: what answers checks, lists and explanations. Reads only, decides from the facts.

`check`, `lists` and `explain` decide on the store; `index` is one organization's facts in memory, `memory`
says which of them are held and what they are good for; `questions` puts each question to the one that is to
answer it. `enforcement` waits until none of them can answer from an older state.
"""
