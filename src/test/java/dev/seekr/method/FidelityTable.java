package dev.seekr.method;

import static org.assertj.core.api.Assertions.assertThat;

import dev.seekr.config.MethodName;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Locale;

/** What was measured of each method to show that it is the real one. */
final class FidelityTable {
  /** What every method has to show, in the order of the table. */
  enum Check {
    GRADIENT("gradient"),
    LOSS("its own loss"),
    IDENTITY("identity"),
    PROPERTY("property"),
    SAVED("save and load"),
    BACKENDS("backends"),
    LEARNING("learning");

    final String title;

    Check(String title) {
      this.title = title;
    }
  }

  private record Row(
      MethodName method, Check check, String what, String with, double error, double bound) {
    /** All but the error, which differs a little between machines. */
    String fixed() {
      return "| %s | %s | %s | %s |".formatted(method, check.title, what, with);
    }

    String markdown() {
      return fixed()
          + String.format(
              Locale.ROOT,
              " %s | %s | %s |",
              number(error),
              number(bound),
              holds() ? "holds" : "FAILS");
    }

    private static String number(double v) {
      return v == 0 ? "0" : String.format(Locale.ROOT, "%.1e", v);
    }

    boolean holds() {
      return error <= bound;
    }
  }

  private static final String HEAD =
      """
      # Fidelity of the methods

      What shows that each method is the real one. Written by `make fidelity`, never by hand; `make test` measures
      everything again and fails when an error is beyond its bound, or a row is missing here. An error of 0 is equality to the bit.

      | method | check | what | compared with | error | bound | verdict |
      | --- | --- | --- | --- | --- | --- | --- |
      """;

  private final List<Row> rows = new ArrayList<>();

  /** Adds a row; fails unless the error is from 0 to its bound. */
  void add(MethodName method, Check check, String what, String with, double error, double bound) {
    var row = new Row(method, check, what, with, error, bound);
    rows.add(row);
    assertThat(error).as(row.markdown()).isBetween(0.0, bound);
  }

  private List<Row> sorted() {
    rows.sort(Comparator.comparing(Row::method).thenComparing(Row::check));
    return rows;
  }

  String markdown() {
    var text = new StringBuilder(HEAD);
    for (Row row : sorted()) text.append(row.markdown()).append('\n');
    return text.toString();
  }

  /** The file has these rows, in this order, and every method has every check. */
  void assertIn(String file) {
    assertThat(rows).hasSize(MethodName.values().length * Check.values().length);
    assertThat(rows.stream().map(r -> r.method + " " + r.check)).doesNotHaveDuplicates();
    var there = file.lines().filter(l -> l.startsWith("| ")).skip(2).toList();
    assertThat(there).as("docs/fidelity.md; make fidelity writes it").hasSameSizeAs(rows);
    for (int i = 0; i < there.size(); i++)
      assertThat(there.get(i))
          .as("docs/fidelity.md; make fidelity writes it")
          .startsWith(sorted().get(i).fixed())
          .endsWith("| holds |");
  }
}
