"""How a report looks as HTML: on screens, light and dark, and on A4."""

from __future__ import annotations

STYLE = """
:root{color-scheme:light dark;--fg:#1b1f24;--bg:#fff;--dim:#59616b;--edge:#d0d5db;--soft:#f3f5f7;--bad:#b3261e;
--blind:#8a5300;--good:#0b5cad;--l0:#0b5cad;--l1:#b3261e;--l2:#5b7a00;--l3:#7a3fb0}
@media (prefers-color-scheme:dark){:root{--fg:#e4e7eb;--bg:#14171a;--dim:#a3acb6;--edge:#3a4149;--soft:#1f2429;
--bad:#ff8a80;--blind:#f0b35a;--good:#7db8ff;--l0:#7db8ff;--l1:#ff8a80;--l2:#b6d35a;--l3:#cfa6ff}}
*{box-sizing:border-box}
body{margin:0 auto;max-width:62rem;padding:1rem 1.25rem 4rem;background:var(--bg);color:var(--fg);
font:16px/1.5 system-ui,sans-serif;overflow-wrap:anywhere}
h1{line-height:1.2;margin:.5rem 0 1rem}
h2{margin:2.5rem 0 .5rem;border-bottom:1px solid var(--edge)}
h3{margin:1.5rem 0 .25rem}
a{color:var(--good)}
:focus-visible{outline:3px solid var(--good);outline-offset:2px}
.skip{position:absolute;left:-999px}
.skip:focus{left:1rem;top:1rem;padding:.5rem;background:var(--bg)}
code,pre,.n{font-family:ui-monospace,monospace;font-size:.9em}
code{background:var(--soft);padding:0 .2em;border-radius:3px}
pre{background:var(--soft);padding:.5rem;white-space:pre-wrap;margin:.25rem 0}
nav ul{columns:16rem;padding-left:1.25rem}
ul.e{padding-left:1.25rem;margin:.25rem 0}
ul.e>li{margin:.2rem 0}
.summary{display:grid;grid-template-columns:max-content 1fr;gap:.25rem 1rem;border:1px solid var(--edge);
border-left:6px solid var(--good);padding:.75rem 1rem;margin:0}
.summary dt{font-weight:700}.summary dd{margin:0}
.n{color:var(--dim);text-decoration:none;white-space:nowrap}
.bad>.w,tr.bad>td:first-of-type{color:var(--bad);font-weight:700}
.blind>.w,tr.blind>td:first-of-type{color:var(--blind);font-weight:700}
.wide{overflow-x:auto}
table{border-collapse:collapse;width:100%;font-size:.92em}
caption{text-align:left;color:var(--dim)}
th,td{text-align:left;vertical-align:top;overflow-wrap:break-word;
padding:.2rem .6rem .2rem 0;border-bottom:1px solid var(--edge)}
th{white-space:nowrap}td{min-width:4.5rem}
details{margin:.2rem 0}
summary{cursor:pointer;color:var(--dim)}
figure{margin:1rem 0}
figcaption{color:var(--dim);font-size:.92em}
svg{width:100%;height:auto;background:var(--soft)}
svg text{font:10px ui-monospace,monospace;fill:var(--dim)}
.mid{text-anchor:middle}.end{text-anchor:end}
.grid{stroke:var(--edge);stroke-width:.5;fill:none}
.line{fill:none;stroke-width:1.5}
.l0{stroke:var(--l0)}.l1{stroke:var(--l1);stroke-dasharray:6 2}.l2{stroke:var(--l2);stroke-dasharray:2 2}
.l3{stroke:var(--l3);stroke-dasharray:8 2 2 2}
.limit{stroke:var(--bad);stroke-width:1;stroke-dasharray:4 4;fill:none}
.mark{stroke:var(--dim);stroke-width:.75;fill:none}.mark.bad{stroke:var(--bad)}
.gap{fill:var(--edge);opacity:.6}
@page{size:A4;margin:15mm}
@media (max-width:40rem){.summary{grid-template-columns:1fr}.summary dd{margin-bottom:.5rem}}
@media print{:root{color-scheme:light;--fg:#000;--bg:#fff;--dim:#444;--edge:#bbb;--soft:#f3f5f7;--bad:#b3261e;
--blind:#8a5300;--good:#0b5cad;--l0:#0b5cad;--l1:#b3261e;--l2:#5b7a00;--l3:#7a3fb0}
body{max-width:none;padding:0;font-size:10pt}nav,.skip{display:none}h2,h3,summary{break-after:avoid}
tr,li,figure,svg{break-inside:avoid}.wide{overflow:visible}
details::details-content{content-visibility:visible;block-size:auto}}
"""
