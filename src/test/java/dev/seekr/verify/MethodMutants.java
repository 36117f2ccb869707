package dev.seekr.verify;

import static org.assertj.core.api.Assertions.assertThat;

import dev.seekr.disk.Scratch;
import java.io.IOException;
import java.io.StringWriter;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.Callable;
import java.util.concurrent.Executors;
import java.util.function.Function;
import javax.tools.ToolProvider;
import org.junit.jupiter.api.Test;

/**
 * Every look-alike of a method must fail a quantity that is compared with a reference, and not by
 * ending the run: {@code make method-mutants}, which writes the document. Its edited classes alone
 * are compiled, and stand before the program's in a {@linkplain OwnClasses class loader of their
 * own}, in which {@link Misses} verifies the cases that must notice it. Property {@code mutants} is
 * part of a name, to try some.
 */
class MethodMutants {
  private static final Path DOCUMENT = Path.of("docs/method-mutants.md");
  private static final String WHICH = System.getProperty("mutants", "");

  /** Tolerances. A look-alike that is nearer might pass by another rounding. */
  private static final double CLEAR = 20;

  private static final String HEAD =
      """
      # Look-alikes of the methods

      Each is a method with one thing wrong: an edit of its source (`src/test/mutants`), run over the cases of that method in
      `src/test/resources/methods`, where a quantity that torch computed in float64 must notice it; what is drawn and ordered is a case
      of its own, `choices`. Each of the cases named must notice. Written by `make method-mutants`, which fails where one survives, ends by an exception, or no longer
      applies. *Misses*: how many quantities notice it, weighted by kind (as the authors do where that does not notice). *By*: how far the worst of these is from its expectation, in tolerances,
      or how many elements of a choice differ.

      | look-alike | cases | misses | worst | by |
      | --- | --- | --- | --- | --- |
      """;

  /**
   * What a look-alike did.
   *
   * @param missed quantities, and by how much; NaN: not there to compare
   * @param failure why it was not run to its end; null: it was
   */
  private record Verdict(Mutant mutant, Map<String, Double> missed, String failure) {
    /** The worst of what was there to compare, of names that begin so. */
    String worst(String of) {
      return missed.entrySet().stream()
          .filter(e -> e.getKey().startsWith(of) && !e.getValue().isNaN())
          .max(Map.Entry.comparingByValue())
          .map(Map.Entry::getKey)
          .orElse("nothing");
    }

    double by(String quantity) {
      return missed.getOrDefault(quantity, 0.0);
    }

    /** Of whole numbers, which no rounding changes. */
    boolean exact(String quantity) {
      double by = by(quantity);
      return quantity.startsWith(ChoiceChecks.CASE) || by < 1e6 && by == Math.rint(by);
    }

    /** Cases that have not noticed. */
    List<String> silent() {
      return mutant.cases().stream()
          .filter(
              name -> {
                String worst = worst(name + ".");
                return by(worst) < (exact(worst) ? 1 : CLEAR);
              })
          .toList();
    }

    boolean caught() {
      return failure == null && silent().isEmpty();
    }

    @Override
    public String toString() {
      if (failure != null) return "%s: %s".formatted(mutant.name(), failure);
      if (!caught()) return "%s: survives %s: %s".formatted(mutant.name(), silent(), missed);
      String worst = worst("");
      String by = String.format(Locale.ROOT, exact(worst) ? "%.0f" : "%.0e", by(worst));
      return "| %s | %s | %d | %s | %s |"
          .formatted(mutant.name(), String.join(", ", mutant.cases()), missed.size(), worst, by);
    }
  }

  @Test
  void noneSurvives() throws Exception {
    List<Mutant> some = Mutant.all().stream().filter(m -> m.name().contains(WHICH)).toList();
    assertThat(some).as("look-alikes named *%s*", WHICH).isNotEmpty();
    assertThat(missed(Set.of("seqft", ChoiceChecks.CASE), Map.of())).as("of the program").isEmpty();
    var verdicts = new ArrayList<Verdict>();
    try (var threads = Executors.newFixedThreadPool(Runtime.getRuntime().availableProcessors())) {
      var tries = some.stream().map(m -> (Callable<Verdict>) () -> attempt(m)).toList();
      for (var each : threads.invokeAll(tries)) verdicts.add(each.get());
    }
    verdicts.forEach(System.out::println);
    assertThat(verdicts).allMatch(Verdict::caught);
    if (WHICH.isEmpty()) Files.writeString(DOCUMENT, document(verdicts));
  }

  private static Verdict attempt(Mutant mutant) throws IOException {
    Map<String, String> sources;
    try {
      sources = mutant.sources();
    } catch (IllegalStateException e) {
      return new Verdict(mutant, Map.of(), "NO LONGER APPLIES: " + e.getMessage());
    }
    try {
      return new Verdict(mutant, missed(mutant.cases(), sources), null);
    } catch (Exception e) {
      return new Verdict(mutant, Map.of(), "ENDS BY " + e);
    }
  }

  /** What a program of these sources beside its own misses. */
  private static Map<String, Double> missed(Set<String> cases, Map<String, String> sources)
      throws Exception {
    try (var scratch = Scratch.create()) {
      Path classes = Files.createDirectories(scratch.folder().resolve("classes"));
      if (!sources.isEmpty()) compile(scratch.folder().resolve("sources"), sources, classes);
      try (var loader = new OwnClasses(sources.keySet(), classes)) {
        @SuppressWarnings("unchecked")
        var misses =
            (Function<Set<String>, Map<String, Double>>)
                loader.loadClass(Misses.class.getName()).getDeclaredConstructor().newInstance();
        return misses.apply(cases);
      }
    }
  }

  private static void compile(Path folder, Map<String, String> sources, Path classes)
      throws IOException {
    var files = new ArrayList<Path>();
    for (var source : sources.entrySet()) {
      Path file = folder.resolve(source.getKey());
      Files.createDirectories(file.getParent());
      files.add(Files.writeString(file, source.getValue()));
    }
    var javac = ToolProvider.getSystemJavaCompiler();
    String path = System.getProperty("java.class.path");
    var options = List.of("-nowarn", "-proc:none", "-cp", path, "-d", classes.toString());
    var said = new StringWriter();
    try (var manager = javac.getStandardFileManager(null, null, null)) {
      var units = manager.getJavaFileObjectsFromPaths(files);
      if (!javac.getTask(said, manager, null, options, null, units).call())
        throw new IllegalArgumentException("it does not compile: " + said);
    }
  }

  private static String document(List<Verdict> verdicts) {
    var text = new StringBuilder(HEAD);
    verdicts.forEach(verdict -> text.append(verdict).append('\n'));
    return text.append("\n%d look-alikes, none survives.\n".formatted(verdicts.size())).toString();
  }
}
