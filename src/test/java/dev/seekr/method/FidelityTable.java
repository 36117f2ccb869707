package dev.seekr.method;

import static org.assertj.core.api.Assertions.assertThat;

import dev.seekr.config.MethodName;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;

/** What was measured of each method to show that it is the real one, and what would fail it. */
final class FidelityTable {
  /** A method as it is by default, or in a form that has rows of its own. */
  enum Subject {
    SEQFT(MethodName.seqft, "seqft"),
    EWC(MethodName.ewc, "ewc"),
    LWF(MethodName.lwf, "lwf"),
    LORA(MethodName.lora, "lora"),
    OLORA(MethodName.olora, "olora"),
    L2P(MethodName.l2p, "l2p"),
    PP(MethodName.pp, "pp"),
    LFPT5(MethodName.lfpt5, "lfpt5"),
    REPLAY(MethodName.replay, "replay"),
    AGEM(MethodName.agem, "agem"),
    DERPP(MethodName.derpp, "derpp"),
    SEEKR(MethodName.seekr, "seekr-paper"),
    RELEASED(MethodName.seekr, "seekr-released"),
    MTL(MethodName.mtl, "mtl");

    final MethodName method;
    private final String cases;

    Subject(MethodName method, String cases) {
      this.method = method;
      this.cases = cases;
    }

    String title() {
      return this == RELEASED ? "seekr, variant: released" : method.name();
    }

    /** Whether a case of the reference folder is one of it. */
    boolean has(String name) {
      return name.equals(cases) || name.startsWith(cases + "-");
    }
  }

  /** What methods have to show, in the order of the tables; all but identities each of them. */
  enum Check {
    REFERENCE("reference", "the look-alikes below"),
    GRADIENT("gradient", "a term without its gradient, or with another's"),
    PROPERTY("property", null),
    SAVED("save and load", "a tensor, prompt or choice that is not saved"),
    BACKENDS("backends", "a kernel that differs, or one left out"),
    LEARNING("learning", null),
    IDENTITY("identity", null);
    final String title, fails;

    Check(String title, String fails) {
      this.title = title;
      this.fails = fails;
    }
  }

  private record Row(
      Subject subject,
      Check check,
      String what,
      String with,
      double error,
      double bound,
      String fails) {
    /** All but the error, which differs a little between machines. */
    String fixed() {
      return "| %s | %s | %s |".formatted(check.title, what, with);
    }

    String markdown() {
      return fixed() + " %s | %s | %s |".formatted(number(error), number(bound), fails);
    }

    private static String number(double v) {
      return v == 0 ? "0" : String.format(Locale.ROOT, "%.1e", v);
    }
  }

  private static final String HEAD =
      """
      # Fidelity of the methods

      What shows that each method is the real one, what it was compared with, and what would fail it. Written by `make fidelity`,
      never by hand; `make test` measures everything again and fails when an error is beyond its bound, or a row is missing here.

      A *reference* is a run over three tasks that torch made in float64, weighted by kind and as the authors do; errors are in its
      tolerances, and the largest of all quantities is shown: losses, gradients, what is trained, kept and chosen. Below each
      table stand the look-alikes that its references notice, as [method-mutants.md](method-mutants.md) measured. The rest is compared with
      what the text says, not with another method, but for an *identity*: two methods that must come to the same bits, which a
      fault that both share would pass. Methods are as they are by default, in small; L2P has its penalty, without which two small tasks
      choose the same prompts. An error of 0 is equality to the bit.
      """;
  private static final String COLUMNS =
      """
      | check | what | compared with | error | bound | fails for |
      | --- | --- | --- | --- | --- | --- |
      """;

  private final List<Row> rows = new ArrayList<>();
  private final Map<Subject, List<String>> lookAlikes = new LinkedHashMap<>();

  /** Adds a row of a check that says itself what fails it. */
  void add(Subject subject, Check check, String what, String with, double error, double bound) {
    add(subject, check, what, with, error, bound, check.fails);
  }

  /** Adds a row; fails unless the error is from 0 to its bound. */
  void add(
      Subject subject,
      Check check,
      String what,
      String with,
      double error,
      double bound,
      String fails) {
    var row = new Row(subject, check, what, with, error, bound, fails);
    rows.add(row);
    assertThat(fails).as(row.markdown()).isNotBlank();
    assertThat(error).as(row.markdown()).isBetween(0.0, bound);
  }

  /** Names the look-alikes that a subject's references notice, some at least. */
  void lookAlikes(Subject subject, List<String> names) {
    assertThat(names).as(subject.title()).hasSizeGreaterThan(1);
    lookAlikes.put(subject, names);
  }

  private List<Row> of(Subject subject) {
    return rows.stream()
        .filter(row -> row.subject == subject)
        .sorted(Comparator.comparing(Row::check).thenComparing(Row::what))
        .toList();
  }

  String markdown() {
    var text = new StringBuilder(HEAD);
    for (Subject subject : Subject.values()) {
      text.append("\n## %s\n\n".formatted(subject.title())).append(COLUMNS);
      for (Row row : of(subject)) text.append(row.markdown()).append('\n');
      text.append("\nLook-alikes: %s.\n".formatted(String.join("; ", lookAlikes.get(subject))));
    }
    return text.toString();
  }

  /** The file has these rows and look-alikes, in this order, and every method has every check. */
  void assertIn(String file) {
    for (Subject subject : Subject.values())
      for (Check check : Check.values())
        if (check != Check.IDENTITY)
          assertThat(of(subject)).as("%s %s", subject, check).anyMatch(r -> r.check == check);
    var expected = markdown().lines().map(FidelityTable::fixed).toList();
    assertThat(file.lines().map(FidelityTable::fixed).toList())
        .as("docs/fidelity.md; make fidelity writes it")
        .isEqualTo(expected);
  }

  /** A line of the document without what is measured. */
  private static String fixed(String line) {
    if (!line.startsWith("| ")) return line;
    String[] cells = line.split(" \\| ");
    if (cells.length == 6) cells[3] = "";
    return String.join(" | ", cells);
  }
}
