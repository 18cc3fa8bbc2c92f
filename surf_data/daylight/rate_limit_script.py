"""The rate limiter's one script for Redis: several limits at once, all of them or none."""

import hashlib
from collections.abc import Sequence
from typing import Any

import redis
from redis.exceptions import NoScriptError

# Two keys for each limit: its state "moment:used:blocked:newest", and the list of a sliding window. The newest bucket
# of that, which is added to again and again, is in the state instead. Microseconds, by the clock of Redis.
# daylight.rate_limit_hit does the same in PostgreSQL; see there for the arithmetic.
_SCRIPT = """
local time = redis.call('TIME')
local now = time[1] * 1000000 + time[2]
local cost = tonumber(ARGV[1])
local answers, writes, allowed_all = {}, {}, true
local function whole(number) return string.format('%.0f', number) end
for i = 1, #KEYS / 2 do
    local state_key, log_key = KEYS[2 * i - 1], KEYS[2 * i]
    local at = 1 + 4 * (i - 1)
    local algorithm, requests = ARGV[at + 1], tonumber(ARGV[at + 2])
    local window, block = tonumber(ARGV[at + 3]), tonumber(ARGV[at + 4])
    local moment, used, blocked, newest = 0, 0, 0, 0
    local state = redis.call('GET', state_key)
    if state then
        local a, b, c, d = string.match(state, '(%d+):(%d+):(%d+):(%d+)')
        moment, used, blocked, newest = tonumber(a), tonumber(b), tonumber(c), tonumber(d)
    end
    local allowed, retry, reset, remaining, full_bucket = false, 0, now, 0, nil
    if algorithm == 'fixed_window' then
        local start = now - now % window
        if moment ~= start then moment, used = start, 0 end
        reset = start + window
        allowed = used + cost <= requests
        if allowed then used = used + cost else retry = reset - now end
        remaining = requests - used
    elseif algorithm == 'sliding_window' then
        local resolution = math.max(math.floor(window / 1000), 1)
        if not state or (moment + 1) * resolution <= now - window then
            redis.call('DEL', log_key)
            used, newest, state = 0, 0, nil
        end
        while used > newest do
            local head = redis.call('LINDEX', log_key, 0)
            if not head then used, state = newest, nil break end
            local b, c = string.match(head, '(%d+):(%d+)')
            if (tonumber(b) + 1) * resolution > now - window then break end
            redis.call('LPOP', log_key)
            used, state = used - tonumber(c), nil
        end
        if not state then
            -- What has left the window has done so whatever is decided.
            local kept = whole(moment) .. ':' .. whole(used) .. ':' .. whole(blocked) .. ':' .. whole(newest)
            redis.call('SET', state_key, kept, 'PX', math.ceil(math.max(2 * window, blocked - now, 1000) / 1000))
        end
        allowed = used + cost <= requests
        local bucket = math.floor(now / resolution)
        if not allowed then
            local surplus = used + cost - requests
            for _, entry in ipairs(redis.call('LRANGE', log_key, 0, surplus - 1)) do
                local b, c = string.match(entry, '(%d+):(%d+)')
                if surplus > 0 then retry = (tonumber(b) + 1) * resolution + window - now end
                surplus = surplus - tonumber(c)
            end
            if surplus > 0 then retry = (moment + 1) * resolution + window - now end
        elseif cost > 0 then
            if bucket ~= moment then
                if newest > 0 then full_bucket = whole(moment) .. ':' .. whole(newest) end
                moment, newest = bucket, 0
            end
            newest, used = newest + cost, used + cost
        end
        if used > 0 then reset = (moment + 1) * resolution + window end
        remaining = requests - used
    else
        if moment < now then moment, used = now, 0 end
        local rest = used + cost * (window % requests)
        local full = moment + cost * math.floor(window / requests) + math.floor(rest / requests)
        rest = rest % requests
        local beyond = full - now + (rest > 0 and 1 or 0) - window
        allowed = beyond <= 0
        if allowed then moment, used = full, rest else retry = beyond end
        reset = moment
        remaining = math.floor(((window - moment + now) * requests - used) / window)
    end
    if blocked > now then
        allowed = false
        retry = math.max(retry, blocked - now)
    elseif not allowed and cost > 0 and block > 0 then
        blocked = now + block
        retry = math.max(retry, block)
        local moment_kept, used_kept, newest_kept = '0', '0', '0'
        local current = redis.call('GET', state_key)
        if current then moment_kept, used_kept, newest_kept = string.match(current, '(%d+):(%d+):%d+:(%d+)') end
        local kept = moment_kept .. ':' .. used_kept .. ':' .. whole(blocked) .. ':' .. newest_kept
        redis.call('SET', state_key, kept, 'PX', math.ceil(math.max(2 * window, block) / 1000))
        if algorithm == 'sliding_window' then redis.call('PEXPIRE', log_key, math.ceil(2 * window / 1000)) end
    end
    allowed_all = allowed_all and allowed
    answers[i] = {allowed and 1 or 0, whole(remaining), whole(retry), whole(reset)}
    local written = whole(moment) .. ':' .. whole(used) .. ':' .. whole(blocked) .. ':' .. whole(newest)
    writes[i] = {state_key, log_key, written, full_bucket, window}
end
if allowed_all and cost > 0 then
    for _, write in ipairs(writes) do
        local life = math.ceil(math.max(2 * write[5], 1000) / 1000)
        redis.call('SET', write[1], write[3], 'PX', life)
        if write[4] then
            redis.call('RPUSH', write[2], write[4])
            redis.call('PEXPIRE', write[2], life)
        end
    end
end
return answers
"""
_SHA = hashlib.sha1(_SCRIPT.encode(), usedforsecurity=False).hexdigest()


def hit(client: redis.Redis, keys: Sequence[str], arguments: Sequence[str | int]) -> Any:
    """Run the script: by its digest, and whole where Redis does not know it yet.

    Arguments:
        client: Redis.
        keys: two for each limit, in one slot of a cluster.
        arguments: the cost; for each limit its algorithm, requests, window and block, the last two in microseconds.

    Returns:
        For each limit whether it allows, and as text what remains, after how long to try again, and when it is full.
    """
    try:
        return client.evalsha(_SHA, len(keys), *keys, *arguments)
    except NoScriptError:
        pass
    return client.eval(_SCRIPT, len(keys), *keys, *arguments)
