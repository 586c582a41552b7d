-- wrk's side of the bench: one kind of request each. Words after "--": kind, metrics in a batch, file
-- with run ids, experiment id, authorization header or "-". A batch's text is made once; what differs
-- from request to request (step and time) is one number put in many places.

local kind, size, ids_file, experiment, authorization
local runs, number, template = {}, 0, nil

local function batch(count)
    local rows = {}
    for i = 0, count - 1 do
        rows[#rows + 1] = string.format('{"key":"m%d","value":%.6f,"timestamp":17@%03d,"step":@%03d}',
            i % 10, math.sin(i) + i / 7, i, i)
    end
    return '{"run_id":"%RUN","metrics":[' .. table.concat(rows, ",") .. "]}"
end

local search = '{"experiment_ids":["%EXPERIMENT"],"max_results":100,"filter":' ..
    '"metrics.m1 > 0.25 and params.p1 = \'3\'","order_by":["metrics.m2 DESC"]}'
local page = '{"experiment_ids":["%EXPERIMENT"],"max_results":100}'

local makers = {
    ["create-run"] = function() return "POST", "runs/create",
        '{"experiment_id":"' .. experiment .. '","start_time":1700000000000,"run_name":"bench",' ..
        '"tags":[{"key":"mlflow.user","value":"bench"},{"key":"mlflow.source.type","value":"LOCAL"}]}' end,
    ["log-metric"] = function(run) return "POST", "runs/log-metric",
        '{"run_id":"' .. run .. '","key":"loss","value":0.5,"timestamp":17' .. (10000000000 + number) ..
        ',"step":' .. number .. "}" end,
    ["log-batch"] = function(run) return "POST", "runs/log-batch",
        (template:gsub("%%RUN", run, 1):gsub("@", tostring(10000000 + number))) end,
    ["get-run"] = function(run) return "GET", "runs/get?run_id=" .. run end,
    ["search"] = function() return "POST", "runs/search", (page:gsub("%%EXPERIMENT", experiment)) end,
    ["search-filter"] = function() return "POST", "runs/search", (search:gsub("%%EXPERIMENT", experiment)) end,
}

function init(args)
    kind, size, ids_file, experiment, authorization = args[1], tonumber(args[2]), args[3], args[4], args[5]
    for line in io.lines(ids_file) do runs[#runs + 1] = line end
    if kind == "log-batch" then template = batch(size) end
    wrk.headers["Content-Type"] = "application/json"
    if authorization ~= "-" then wrk.headers["Authorization"] = authorization end
end

function request()
    number = number + 1
    local method, path, body = makers[kind](runs[number % #runs + 1])
    return wrk.format(method, "/api/2.0/mlflow/" .. path, nil, body)
end

function done(summary, latency)
    local errors = summary.errors
    io.write(string.format("\nresult %d %d %d %.0f %.0f %.0f\n", summary.requests, summary.duration,
        errors.status + errors.timeout + errors.connect + errors.read, latency:percentile(50),
        latency:percentile(95), latency:percentile(99)))
end
