package dev.seekr.page;

import dev.seekr.evaluation.RunSummary;
import dev.seekr.evaluation.RunSummary.Spread;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.stream.Collectors;

/**
 * A table of what runs came to, a row a group; the same as HTML, Markdown, LaTeX and CSV.
 *
 * @param rows cells as the page shows them, blank where nothing is known
 */
record Results(List<String> headers, List<Row> rows) {
  /**
   * A row.
   *
   * @param from where each cell's numbers stand: runs and lines of their logs
   */
  record Row(List<String> cells, String from) {}

  private static final List<String> HEADERS =
      List.of("method", "runs", "OP", "BWT", "seconds", "peak MiB", "stored MiB");

  static Results of(List<Groups.Group> groups) {
    var rows = new ArrayList<Row>();
    for (var group : groups) rows.add(row(group));
    return new Results(HEADERS, rows);
  }

  private static Row row(Groups.Group group) {
    var cells = new ArrayList<String>();
    cells.add(group.label());
    cells.add("" + group.runs().size());
    List<RunRecord> done = group.runs().stream().filter(RunRecord::finished).toList();
    if (done.isEmpty()) {
      while (cells.size() < HEADERS.size()) cells.add("");
      return new Row(cells, "not finished");
    }
    var summary = RunSummary.of(done.stream().map(RunRecord::scores).toList());
    cells.add(spread(summary.op()));
    cells.add(spread(summary.bwt()));
    cells.add(mean(done, "seconds", 1, "%.1f"));
    cells.add(mean(done, "peak_rss_bytes", 1 << 20, "%.0f"));
    cells.add(mean(done, "stored_bytes", 1 << 20, "%.2f"));
    return new Row(cells, from(done));
  }

  /** As "seekr-1 line 57, seekr-2 line 57". */
  private static String from(List<RunRecord> runs) {
    return runs.stream()
        .map(r -> r.name() + r.last("end").map(e -> " line " + e.getKey()).orElse(""))
        .collect(Collectors.joining(", "));
  }

  static String spread(Optional<Spread> spread) {
    if (spread.isEmpty()) return "";
    var s = spread.get();
    String mean = String.format(Locale.ROOT, "%.2f", s.mean());
    return s.sd().isPresent()
        ? mean + String.format(Locale.ROOT, " ± %.2f", s.sd().getAsDouble())
        : mean;
  }

  private static String mean(List<RunRecord> runs, String field, double unit, String format) {
    var values =
        runs.stream().flatMap(r -> r.end(field).stream()).mapToDouble(RunRecord.Said::value);
    var mean = values.average();
    return mean.isEmpty() ? "" : String.format(Locale.ROOT, format, mean.getAsDouble() / unit);
  }

  String html() {
    var out = new Markup().open("div", "class", "wide").open("table").open("tr");
    for (String header : headers) out.element("th", header, "scope", "col");
    out.close("tr");
    for (Row row : rows) {
      out.open("tr", "title", row.from);
      for (int i = 0; i < row.cells.size(); i++)
        out.element(i == 0 ? "th" : "td", row.cells.get(i), "scope", i == 0 ? "row" : null);
      out.close("tr");
    }
    return out.close("table").close("div").toString();
  }

  String markdown() {
    var out = new StringBuilder("| " + String.join(" | ", headers) + " |\n|");
    for (int i = 0; i < headers.size(); i++) out.append(i == 0 ? " --- |" : " ---: |");
    for (Row row : rows)
      out.append("\n| ")
          .append(
              row.cells.stream().map(c -> c.replace("|", "\\|")).collect(Collectors.joining(" | ")))
          .append(" |");
    return out.append('\n').toString();
  }

  /** A tabular of the booktabs package. */
  String latex() {
    var out =
        new StringBuilder("\\begin{tabular}{l" + "r".repeat(headers.size() - 1) + "}\n\\toprule\n");
    out.append(String.join(" & ", headers)).append(" \\\\\n\\midrule\n");
    for (Row row : rows)
      out.append(row.cells.stream().map(Results::tex).collect(Collectors.joining(" & ")))
          .append(" \\\\\n");
    return out.append("\\bottomrule\n\\end{tabular}\n").toString();
  }

  private static String tex(String cell) {
    var out = new StringBuilder();
    for (char c : cell.toCharArray()) {
      switch (c) {
        case '±' -> out.append("$\\pm$");
        case '\\' -> out.append("\\textbackslash{}");
        case '&', '%', '$', '#', '_', '{', '}' -> out.append('\\').append(c);
        case '~' -> out.append("\\textasciitilde{}");
        case '^' -> out.append("\\textasciicircum{}");
        default -> out.append(c);
      }
    }
    return out.toString().replaceFirst("^-(?=\\d)", "\\$-\\$");
  }

  /** RFC 4180, a number a field: means and deviations apart. */
  String csv() {
    var out = new StringBuilder();
    var heads = new ArrayList<String>();
    for (String h : headers) {
      heads.add(h);
      if (h.equals("OP") || h.equals("BWT")) heads.add(h + " sd");
    }
    out.append(String.join(",", heads)).append("\r\n");
    for (Row row : rows) {
      var cells = new ArrayList<String>();
      for (int i = 0; i < row.cells.size(); i++) {
        String[] parts = row.cells.get(i).split(" ± ", -1);
        cells.add(quoted(parts[0]));
        boolean spread = headers.get(i).equals("OP") || headers.get(i).equals("BWT");
        if (spread) cells.add(parts.length > 1 ? parts[1] : "");
      }
      out.append(String.join(",", cells)).append("\r\n");
    }
    return out.toString();
  }

  private static String quoted(String field) {
    return field.matches("(?s).*[,\"\r\n].*") ? '"' + field.replace("\"", "\"\"") + '"' : field;
  }
}
