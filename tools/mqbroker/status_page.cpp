#include "mqbroker/status_page.hpp"

#include <chrono>
#include <utility>

#include "common/json_writer.hpp"
#include "mqbroker/broker_metrics.hpp"

namespace mq {
namespace {

constexpr std::string_view before_numbers = R"html(<!DOCTYPE html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width,initial-scale=1">
<title>mqbroker</title><link rel="icon" href="data:,">
<style>
:root{color-scheme:light dark;--bg:#f6f7f9;--card:#fff;--ink:#1a2230;--soft:#566072;--line:#dde1e8;--good:#0b6b3a;--bad:#a61b1b;--warn:#8a4b00;--a:#0b62c4;--b:#c2410c}
@media(prefers-color-scheme:dark){:root{--bg:#10141b;--card:#181e28;--ink:#e7ebf2;--soft:#a3adbd;--line:#2d3644;--good:#6fdc9f;--bad:#ff9d9d;--warn:#ffc66d;--a:#6cb2ff;--b:#ff9f5a}}
*{box-sizing:border-box}
body{margin:0;background:var(--bg);color:var(--ink);font:15px/1.5 system-ui,-apple-system,"Segoe UI",Roboto,"Liberation Sans",sans-serif}
main{max-width:1080px;margin:0 auto;padding:24px 20px 48px;overflow-wrap:anywhere}
header{display:flex;flex-wrap:wrap;gap:4px 14px;align-items:baseline}
h1{font-size:24px;margin:0}h2{font-size:17px;margin:28px 0 10px}p{margin:0}.soft{color:var(--soft)}
#state{border:1px solid;border-radius:6px;padding:0 9px;font-size:13px;font-weight:600;color:var(--good)}#state.bad{color:var(--bad)}
#tiles{display:grid;gap:12px;grid-template-columns:repeat(4,minmax(0,1fr));margin:16px 0 0}
#tiles div,.card{background:var(--card);border:1px solid var(--line);border-radius:10px;padding:10px 14px;min-width:0}
dt{color:var(--soft);font-size:13px}dd{margin:0;font-size:22px;font-weight:600;font-variant-numeric:tabular-nums}
dd small{display:block;font-size:12px;font-weight:400;color:var(--soft)}.old dd{color:var(--soft)}
meter{display:block;width:100%;height:8px;margin:3px 0}svg{display:block;width:100%;height:90px}path{fill:none;stroke-width:2;stroke-linejoin:round;vector-effect:non-scaling-stroke}
.in{stroke:var(--a);color:var(--a)}.out{stroke:var(--b);color:var(--b)}.key{font-size:13px}.key b{margin-right:14px}
.scroll{overflow-x:auto}table{border-collapse:collapse;font-size:14px;width:100%;font-variant-numeric:tabular-nums}
th,td{text-align:left;padding:4px 14px 4px 0;border-bottom:1px solid var(--line);vertical-align:top;white-space:nowrap}
th{color:var(--soft);font-weight:500;font-size:13px}.n{text-align:right}td:first-child{min-width:9em;white-space:normal}
tr:last-child td{border-bottom:0}.stopped{color:var(--bad)}.behind{color:var(--warn)}
@media(max-width:760px){#tiles{grid-template-columns:repeat(2,minmax(0,1fr))}}
@media(max-width:480px){main{padding:14px 10px 32px}dd{font-size:18px}#tiles{gap:8px}#tiles div,.card{padding:8px 10px}}
</style></head><body><main>
<header><h1>mqbroker</h1><span id="state" role="status">…</span><span class="soft" id="about"></span></header>
<p id="fault"></p>
<dl id="tiles"></dl>
<h2>Messages per second</h2>
<div class="card"><svg id="chart" viewBox="0 0 240 90" preserveAspectRatio="none" role="img" aria-label="Messages per second, the last minutes"></svg>
<p class="key"><b class="in">received</b><b class="out">sent</b><span class="soft" id="scale"></span></p></div>
<h2>Slow clients</h2><div class="card scroll" id="slow"></div>
<h2>Dropped messages</h2><div class="card scroll" id="dropped"></div>
<section id="bridging" hidden><h2>Bridges</h2><div class="card scroll" id="bridges"></div></section>
<noscript><p>The numbers need JavaScript; they are also at <a href="/metrics">/metrics</a>.</p></noscript>
</main><script type="application/json" id="first">)html";

// Text goes into the page by textContent alone: client ids are what clients choose.
constexpr std::string_view after_numbers = R"html(</script><script>
"use strict";
const $=id=>document.getElementById(id),past=[],shown=120;
let last=null;
function make(tag,text,kind){const e=document.createElement(tag);if(text!==undefined)e.textContent=text;if(kind)e.className=kind;return e}
function count(n){return Math.round(n).toLocaleString("en-US")}
function short(n){return n>=1e6?(n/1e6).toFixed(1)+" M":n>=1e4?(n/1e3).toFixed(1)+" k":n>=100?count(n):n.toFixed(n?1:0)}
function size(n){const u=["B","KiB","MiB","GiB","TiB"];let i=0;while(n>=1024&&i<4){n/=1024;i++}return(i&&n<100?n.toFixed(1):Math.round(n))+" "+u[i]}
function time(s){const d=Math.floor(s/86400),h=Math.floor(s/3600)%24,m=Math.floor(s/60)%60;return d?d+" d "+h+" h":h?h+" h "+m+" min":m?m+" min "+Math.floor(s%60)+" s":Math.floor(s)+" s"}
function tile(name,value,more,part){const d=make("div"),v=make("dd",value);d.append(make("dt",name),v);d.dataset.name=name;
if(part!==undefined){const m=make("meter");m.max=1;m.high=.6;m.value=part;m.title=name;v.append(m)}
if(more)v.append(make("small",more));return d}
function table(heads,rows,none){if(!rows.length)return make("p",none,"soft");const t=make("table"),h=t.createTHead().insertRow(),b=t.createTBody();
heads.forEach((x,i)=>h.append(make("th",x,i>heads.length-1-rows[0].filter(c=>c.n).length?"n":"")));
rows.forEach(r=>{const l=b.insertRow();r.forEach(c=>l.append(make("td",c.text,c.n?"n":c.kind)))});return t}
function draw(){const top=Math.max(10,...past.map(h=>Math.max(h.in,h.out)));
$("scale").textContent="top of the picture: "+short(top)+"/s";
$("chart").replaceChildren(...["in","out"].map(k=>{const p=document.createElementNS("http://www.w3.org/2000/svg","path");
p.setAttribute("class",k);p.setAttribute("d",past.map((h,i)=>(i?"L":"M")+(240-2*(past.length-1-i))+" "+(88-84*h[k]/top)).join(""));return p}))}
function show(s){const span=last&&s.uptime_seconds>last.uptime_seconds?s.uptime_seconds-last.uptime_seconds:0;
const rate=k=>span?(s[k]-last[k])/span:null,per=(k,f)=>rate(k)===null?"…":f(rate(k))+"/s";
if(span){past.push({in:rate("messages_received"),out:rate("messages_sent")});if(past.length>shown)past.shift()}
$("state").textContent=s.fault?"cannot keep anything":"running";$("state").className=s.fault?"bad":"";$("fault").textContent=s.fault||"";
$("about").textContent="version "+s.version+", up for "+time(s.uptime_seconds);
const drops=Object.entries(s.dropped).filter(d=>d[1]),all=drops.reduce((a,d)=>a+d[1],0);
$("tiles").replaceChildren(tile("Clients",count(s.clients),"connected, of "+count(s.connections_max)+" at most"),
tile("Messages in",per("messages_received",short),count(s.messages_received)+" in all"),tile("Messages out",per("messages_sent",short),count(s.messages_sent)+" in all"),
tile("Dropped",per("messages_dropped",short),count(all)+" in all"),
tile("Memory of clients",size(s.memory_bytes),"of "+size(s.memory_max_bytes)+"; the process: "+size(s.resident_bytes),s.memory_bytes/s.memory_max_bytes),
tile("Bytes in",per("bytes_received",size),size(s.bytes_received)+" in all"),tile("Bytes out",per("bytes_sent",size),size(s.bytes_sent)+" in all"),
tile("Waiting",count(s.queued_messages),size(s.queued_bytes)+" for clients"),
tile("Sessions",count(s.sessions),"kept or connected"),tile("Subscriptions",count(s.subscriptions)),tile("Retained",count(s.retained_messages),size(s.retained_bytes)+" with $SYS"),
tile("Turned away",count(s.connections_refused+s.connections_turned_away),"connections, since the start"));
$("tiles").className="";draw();
$("slow").replaceChildren(table(["Client","Address","State","Messages","Bytes","Unacknowledged","Unwritten"],
s.slow_clients.map(c=>[{text:c.client_id},{text:c.address},{text:c.stopped?"stopped":"behind",kind:c.stopped?"stopped":"behind"},{text:count(c.queued_messages),n:1},{text:size(c.queued_bytes),n:1},{text:count(c.in_flight),n:1},{text:size(c.unwritten_bytes),n:1}]),"No messages wait for connected clients."));
$("dropped").replaceChildren(table(["Reason","Messages"],drops.map(d=>[{text:d[0].replaceAll("_"," ")},{text:count(d[1]),n:1}]),"None."));
$("bridging").hidden=!s.bridges.length;
$("bridges").replaceChildren(table(["Server","State","Sent","Received","Dropped","Refused","Came back"],
s.bridges.map(b=>[{text:b.name},{text:b.connected?"connected":"not connected",kind:b.connected?"":"stopped"},...["sent","received","dropped","refused","echoes"].map(k=>({text:count(b[k]),n:1}))]),""));
last=s}
async function ask(){try{const a=await fetch("/status.json",{cache:"no-store",signal:AbortSignal.timeout(8000)});if(!a.ok)throw 0;show(await a.json())}
catch(e){$("state").textContent="no answer since "+time((Date.now()-heard)/1000);$("state").className="bad";$("tiles").className="old";return again()}
heard=Date.now();again()}
let heard=Date.now();function again(){setTimeout(ask,2000)}
show(JSON.parse($("first").textContent));again();
</script></body></html>
)html";

void add_slow_clients(JsonWriter& json, const BrokerFacts& facts) {
  json.key("slow_clients");
  json.begin_array();
  for (const auto& client : facts.slow_clients) {
    json.begin_object();
    json.field("client_id", client.client_id);
    json.field("address", client.address);
    json.field("stopped", client.stopped);
    json.field("queued_messages", client.queued_messages);
    json.field("queued_bytes", client.queued_bytes);
    json.field("in_flight", client.in_flight);
    json.field("unwritten_bytes", client.unwritten_bytes);
    json.end_object();
  }
  json.end_array();
}

void add_drops_by_reason(JsonWriter& json, const mqtt::broker::Counters& counters) {
  json.key("dropped");
  json.begin_object();
  for (std::size_t i = 0; i < mqtt::broker::drop_reasons; ++i)
    json.field(to_string(static_cast<mqtt::broker::DropReason>(i)), counters.dropped[i]);
  json.end_object();
}

void add_bridges(JsonWriter& json, const BrokerFacts& facts) {
  json.key("bridges");
  json.begin_array();
  for (const BridgeFacts& bridge : facts.bridges) {
    json.begin_object();
    json.field("name", bridge.name);
    json.field("connected", bridge.status.connected);
    for (const auto& [what, count] : numbers_of(bridge.status.messages)) json.field(what, count);
    json.end_object();
  }
  json.end_array();
}

}  // namespace

std::string status_json(const BrokerFacts& facts) {
  const mqtt::broker::Counters& c = facts.counters;
  std::string text;
  JsonWriter json{text};
  json.begin_object();
  json.field("version", MQ_VERSION);
  json.field("uptime_seconds", std::chrono::duration<double>{facts.uptime}.count());
  json.field("fault", facts.fault);
  json.field("connections_max", facts.connections_max);
  write_counters(json, c, facts.server);
  json.field("memory_max_bytes", facts.memory_max_bytes);
  json.field("resident_bytes", resident_bytes());
  add_drops_by_reason(json, c);
  add_slow_clients(json, facts);
  add_bridges(json, facts);
  json.end_object();
  return text;
}

std::string status_page(const BrokerFacts& facts) {
  std::string page{before_numbers};
  for (const char each : status_json(facts)) {  // "</script>" in a client id must not end the element
    if (each == '<')
      page += "\\u003c";
    else
      page += each;
  }
  return page.append(after_numbers);
}

std::string_view status_page_fields() {
  return "Content-Security-Policy: default-src 'none'; style-src 'unsafe-inline'; script-src "
         "'unsafe-inline'; "
         "img-src data:; connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'\r\n"
         "X-Content-Type-Options: nosniff\r\nReferrer-Policy: no-referrer\r\nCache-Control: no-store\r\n";
}

}  // namespace mq
