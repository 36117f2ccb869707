package dev.seekr.verify;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.seekr.ops.Ops;
import dev.seekr.ops.reference.ReferenceOps;
import dev.seekr.tensor.DType;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Set;
import org.junit.jupiter.api.Test;

/** The lists of look-alikes; {@link MethodMutants} runs them. */
class MutantTest {
  private static final List<String> METHODS =
      List.of(
          "seqft",
          "ewc",
          "lwf",
          "lora",
          "olora",
          "l2p",
          "pp",
          "lfpt5",
          "replay",
          "agem",
          "derpp",
          "seekr-paper",
          "seekr-released",
          "mtl",
          ChoiceChecks.CASE);

  /** Every method has some, and each edit changes its source. */
  @Test
  void allApply() throws IOException {
    var all = Mutant.all();
    assertThat(all).hasSizeGreaterThan(100);
    assertThat(all.stream().map(Mutant::name)).doesNotHaveDuplicates();
    for (Mutant mutant : all) {
      assertThat(mutant.cases()).as(mutant.name()).isNotEmpty();
      for (String name : mutant.cases())
        assertThat(name.equals(ChoiceChecks.CASE) || Files.isDirectory(Misses.FOLDER.resolve(name)))
            .as("%s: case %s", mutant.name(), name)
            .isTrue();
      for (var source : mutant.sources().entrySet())
        assertThat(source.getValue())
            .as(mutant.name())
            .isNotEqualTo(Files.readString(Mutant.MAIN.resolve(source.getKey())));
    }
    for (String method : METHODS)
      assertThat(all)
          .as(method)
          .anyMatch(m -> m.cases().stream().anyMatch(name -> name.startsWith(method)));
  }

  /** Each has its row in the document, and none is there that is no more. */
  @Test
  void allAreInTheDocument() throws IOException {
    var rows =
        Files.readAllLines(Path.of("docs/method-mutants.md")).stream()
            .filter(line -> line.startsWith("| "))
            .skip(2)
            .map(line -> line.substring(2, line.indexOf(" | ")))
            .toList();
    assertThat(rows)
        .as("docs/method-mutants.md; make method-mutants writes it")
        .isEqualTo(Mutant.all().stream().map(Mutant::name).toList());
  }

  @Test
  void anEditThatDoesNotApplyIsNamed() {
    var edit = new Mutant.Edit("method/Ewc.java", "no such text", "other");
    var mutant = new Mutant("list", "a look-alike", Set.of("ewc"), List.of(edit));
    assertThatThrownBy(mutant::sources)
        .hasMessage("method/Ewc.java has 0 times, not once: no such text");
  }

  @Test
  void choicesAreAsTheyMustBe() {
    try (Ops ops = new ReferenceOps(DType.F64)) {
      assertThat(ChoiceChecks.verify(ops).all())
          .allMatch(Checks.Check::passed)
          .hasSizeGreaterThan(20);
    }
  }
}
