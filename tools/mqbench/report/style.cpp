#include "mqbench/report/page.hpp"

namespace mq::bench::report {

std::string_view style() {
  return R"css(
:root{color-scheme:light dark;--bg:#f6f7f9;--card:#fff;--ink:#1a2230;--soft:#566072;--line:#dde1e8;--faint:#edf0f4;
--good:#0b6b3a;--good-bg:#e2f5ea;--bad:#a61b1b;--bad-bg:#fde8e8;--warn:#8a4b00;--warn-bg:#fdf0dc;--hover:#1a223014;
--s0:#0b62c4;--s1:#c2410c;--s2:#0f7b4f;--s3:#a21caf;--s4:#8a6d00;--s5:#0e7490;--s6:#be123c;--s7:#525252;
--h1:#d5e6fb;--h2:#b3d2f6;--h3:#8dbaf0;--h4:#659fe6;--h5:#4383d8;--h6:#2a67bd;--h7:#174b98;--h8:#0a2f6b}
@media(prefers-color-scheme:dark){:root{--bg:#10141b;--card:#181e28;--ink:#e7ebf2;--soft:#a3adbd;--line:#2d3644;--faint:#232b37;
--good:#6fdc9f;--good-bg:#12301f;--bad:#ff9d9d;--bad-bg:#3b1718;--warn:#ffc66d;--warn-bg:#372508;--hover:#e7ebf21c;
--s0:#6cb2ff;--s1:#ff9f5a;--s2:#4fd19a;--s3:#e08cf0;--s4:#e6c84a;--s5:#4fd0e0;--s6:#ff8095;--s7:#c8c8c8;
--h1:#16304f;--h2:#1b426f;--h3:#225890;--h4:#2f72b3;--h5:#478fd2;--h6:#6dade8;--h7:#9ccaf6;--h8:#d6ebff}}
@media print{:root{color-scheme:light;--bg:#fff;--card:#fff;--ink:#000;--soft:#444;--line:#bbb;--faint:#e4e4e4;--good:#0b6b3a;--good-bg:#fff;
--bad:#a61b1b;--bad-bg:#fff;--warn:#8a4b00;--warn-bg:#fff;--s0:#0b62c4;--s1:#c2410c;--s2:#0f7b4f;--s3:#a21caf;--s4:#8a6d00;--s5:#0e7490;--s6:#be123c;--s7:#525252;
--h1:#d5e6fb;--h2:#b3d2f6;--h3:#8dbaf0;--h4:#659fe6;--h5:#4383d8;--h6:#2a67bd;--h7:#174b98;--h8:#0a2f6b}
*{print-color-adjust:exact;-webkit-print-color-adjust:exact}figure,.card,tr{break-inside:avoid}details:not([open]){display:none}.grid{display:block!important}}
*{box-sizing:border-box}
body{margin:0;background:var(--bg);color:var(--ink);font:15px/1.5 system-ui,-apple-system,"Segoe UI",Roboto,"Liberation Sans",sans-serif}
main{overflow-wrap:break-word;max-width:1240px;margin:0 auto;padding:24px 20px 48px}
h1{font-size:26px;line-height:1.25;margin:0;overflow-wrap:anywhere}h2{font-size:19px;margin:36px 0 12px}h3{font-size:16px;margin:0}
p{margin:4px 0}.soft{color:var(--soft)}.about{overflow-wrap:anywhere}
.card,figure{background:var(--card);border:1px solid var(--line);border-radius:10px;padding:16px;margin:0}
.grid{display:grid;gap:16px;grid-template-columns:repeat(2,minmax(0,1fr))}
.verdict{margin-top:16px;border-left:6px solid var(--edge);background:var(--tint);border-radius:8px;padding:12px 16px}
.verdict b{color:var(--edge);font-size:18px}.verdict{overflow-wrap:anywhere}
.good{--edge:var(--good);--tint:var(--good-bg)}.bad{--edge:var(--bad);--tint:var(--bad-bg)}.warn{--edge:var(--warn);--tint:var(--warn-bg)}
.tests{list-style:none;margin:8px 0 0;padding:0;display:flex;flex-wrap:wrap;gap:6px}
.tests li{border:1px solid var(--edge);color:var(--edge);background:var(--card);border-radius:6px;padding:1px 9px;overflow-wrap:anywhere}
.tiles{display:grid;gap:12px;grid-template-columns:repeat(4,minmax(0,1fr));margin:16px 0 0;padding:0}
.tiles div{background:var(--card);border:1px solid var(--line);border-radius:10px;padding:10px 14px}
.tiles dt{color:var(--soft);font-size:13px}.tiles dd{margin:0;font-size:22px;font-weight:600;font-variant-numeric:tabular-nums}
.legend{list-style:none;display:flex;flex-wrap:wrap;gap:2px 16px;margin:8px 0 0;padding:0;font-size:13px}
.legend li{display:flex;align-items:center;gap:6px;overflow-wrap:anywhere}.legend svg{width:26px;height:10px;flex:none}
.ramp{display:flex;align-items:center;gap:2px}.ramp i{width:16px;height:10px}
svg{display:block;width:100%;height:auto;margin-top:8px}svg.narrow{display:none}
text{font-size:12px;fill:var(--soft);font-family:inherit;font-variant-numeric:tabular-nums}text.row{fill:var(--ink)}
.grid>*{min-width:0}path.grid{stroke:var(--line);stroke-width:1}.faint{stroke:var(--faint);stroke-width:1}
.line{fill:none;stroke-width:2;stroke-linejoin:round;stroke-linecap:round}.thin{stroke-width:2}.thick{stroke-width:7}
.mark{fill-opacity:.22}.d1{stroke-dasharray:7 5}.d2{stroke-dasharray:1.5 5}.hit{fill:transparent}.hit:hover{fill:var(--hover)}.cell:hover{stroke:var(--ink)}
)css"
         R"css(.s0{stroke:var(--s0)}.s1{stroke:var(--s1)}.s2{stroke:var(--s2)}.s3{stroke:var(--s3)}.s4{stroke:var(--s4)}.s5{stroke:var(--s5)}.s6{stroke:var(--s6)}.s7{stroke:var(--s7)}
.c0{fill:var(--s0)}.c1{fill:var(--s1)}.c2{fill:var(--s2)}.c3{fill:var(--s3)}.c4{fill:var(--s4)}.c5{fill:var(--s5)}.c6{fill:var(--s6)}.c7{fill:var(--s7)}
.h1{fill:var(--h1);background:var(--h1)}.h2{fill:var(--h2);background:var(--h2)}.h3{fill:var(--h3);background:var(--h3)}.h4{fill:var(--h4);background:var(--h4)}
.h5{fill:var(--h5);background:var(--h5)}.h6{fill:var(--h6);background:var(--h6)}.h7{fill:var(--h7);background:var(--h7)}.h8{fill:var(--h8);background:var(--h8)}
details{margin-top:10px}summary{cursor:pointer;color:var(--soft);font-size:13px}
.scroll{overflow-x:auto;margin-top:8px}details .scroll{max-height:340px;overflow-y:auto}
table{border-collapse:collapse;font-size:13px;font-variant-numeric:tabular-nums;min-width:100%}
caption{text-align:left;color:var(--soft);padding-bottom:4px}
th,td{text-align:left;padding:4px 12px 4px 0;border-bottom:1px solid var(--line);vertical-align:top}
thead th{color:var(--soft);font-weight:500}tbody th{font-weight:500}td.n{text-align:right;white-space:nowrap}
thead th.n{text-align:right}
.meta td{max-width:420px;overflow-wrap:anywhere}.meta th{white-space:nowrap}
#tip{position:fixed;z-index:9;pointer-events:none;background:var(--ink);color:var(--bg);padding:6px 10px;border-radius:6px;font-size:13px;white-space:pre;font-variant-numeric:tabular-nums;max-width:92vw}
#tip[hidden]{display:none}
@media(max-width:860px){.tiles{grid-template-columns:repeat(2,minmax(0,1fr))}.grid{grid-template-columns:minmax(0,1fr)}}
@media(max-width:520px){main{padding:16px 10px 32px}h1{font-size:21px}.card,figure{padding:12px 10px}svg.wide{display:none}svg.narrow{display:block}
.legend svg{display:block}.tiles{gap:8px}.tiles dd{font-size:18px}}
)css";
}

/// Takes the titles away from the browser, which shows them late and on no phone.
std::string_view script() {
  return R"js(
(()=>{const tip=document.createElement('div');tip.id='tip';tip.hidden=true;document.body.append(tip);
const texts=new WeakMap();
document.querySelectorAll('.hit,.cell').forEach(e=>{const t=e.querySelector('title');if(t){texts.set(e,t.textContent);t.remove()}});
const show=e=>{const text=texts.get(e.target);tip.hidden=!text;if(!text)return;tip.textContent=text;
const b=tip.getBoundingClientRect();
tip.style.left=Math.max(4,Math.min(e.clientX+14,innerWidth-b.width-8))+'px';
tip.style.top=Math.max(4,e.clientY+18+b.height>innerHeight?e.clientY-b.height-12:e.clientY+18)+'px'};
addEventListener('pointermove',show);addEventListener('pointerdown',show);addEventListener('scroll',()=>{tip.hidden=true},true);
document.documentElement.addEventListener('pointerleave',()=>{tip.hidden=true})})();
)js";
}

}  // namespace mq::bench::report
