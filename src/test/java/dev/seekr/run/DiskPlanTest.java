package dev.seekr.run;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.catchThrowableOfType;

import dev.seekr.Failure;
import dev.seekr.Stop;
import dev.seekr.backends.Backends;
import dev.seekr.config.ConfigReader;
import dev.seekr.config.MethodName;
import dev.seekr.config.RunConfig;
import dev.seekr.data.TaskSequence;
import dev.seekr.disk.Disk;
import dev.seekr.disk.Injection;
import dev.seekr.disk.Injection.Mode;
import dev.seekr.disk.Reading;
import dev.seekr.disk.RunFolder;
import dev.seekr.evaluation.LanguageModel;
import dev.seekr.method.Method;
import dev.seekr.method.Methods;
import dev.seekr.method.Setup;
import dev.seekr.ops.Ops;
import dev.seekr.trainer.Encoded;
import dev.seekr.trainer.Keeper;
import dev.seekr.trainer.Trainer;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.EnumSource;

class DiskPlanTest {
  @TempDir Path folder;

  private RunConfig config(String... more) {
    var settings =
        new ArrayList<>(
            List.of(
                "model.path=examples/nano",
                "data.root=examples/superni",
                "data.tasks=[task363, task1687]",
                "data.max_prompt=24",
                "data.train_limit=3",
                "data.test_limit=1",
                "method.replay_samples=2",
                "method.lfpt5.top_k=3",
                "train.epochs=1",
                "train.batch=4",
                "train.lr=1e-3",
                "eval.max_new_tokens=2",
                "run.out=" + folder.resolve("run")));
    settings.addAll(List.of(more));
    return ConfigReader.parse("", "test", settings);
  }

  private DiskPlan plan(RunConfig config) {
    var tasks = TaskSequence.load(config.data(), 1);
    try (Ops ops = Backends.open(config.run());
        var lm = LanguageModel.load(config, ops, true)) {
      var encoded = Encoded.of(tasks, List.of(), lm.encoder(config.data()), config.data());
      Method method = Methods.of(new Setup(config, lm.model(), new RunFolder(folder.resolve("x"))));
      try (var trainer =
          new Trainer(
              config,
              tasks,
              lm,
              encoded,
              dev.seekr.general.GeneralQuestions.NONE,
              method,
              List.of(),
              Keeper.NONE,
              Stop.NEVER)) {
        return DiskPlan.of(config, lm.model(), method, trainer.contexts());
      }
    }
  }

  @Test
  void sums() {
    var plan = new DiskPlan(1000, 3, 200, 4, 50, 7);
    assertThat(plan.bytes()).isEqualTo(3 * 1000 + 4 * 200 + 50 + 7);
    assertThat(new DiskPlan(5_250_000, 3, 2_600_000, 2, 1_500_000_000, 12_000_000))
        .hasToString(
            "1.5 GB of disk (3 checkpoints of 5.3 MB, 2 models of 2.6 MB, 1.5 GB kept of the tasks, 12 MB while a task lasts)");
    assertThat(new DiskPlan(5_250_000, 2, 9, 0, 0, 0))
        .hasToString("11 MB of disk (2 checkpoints of 5.3 MB)");
  }

  /** One more than are kept, while the newest is written; however many are to be kept. */
  @ParameterizedTest
  @CsvSource({"0, 2", "1, 2", "2, 3", "1000, 1001", "2147483647, 2147483647"})
  void checkpointsAndModels(int keep, int checkpoints) {
    long weights = 1_311_872;
    var plan = plan(config("method.name=seqft", "run.checkpoint.keep=" + keep, "model.save=bf16"));
    assertThat(plan).isEqualTo(new DiskPlan(12 * weights, checkpoints, 2 * weights, 2, 0, 0));
    assertThat(plan.bytes()).isPositive();
  }

  @Test
  void modelsThatAreNotSaved() {
    assertThat(plan(config("run.save_models=false")).models()).isZero();
    assertThat(plan(config("method.name=mtl")).models()).isEqualTo(1);
  }

  @Test
  void refusedWhereThereIsNoRoom() {
    long free = Reading.free(folder), more = free / 2 + 1_000_000_000;
    new DiskPlan(1000, 1, 0, 0, 0, 0).require(folder, 0);
    new DiskPlan(more, 2, 0, 0, 0, 0).require(folder, 2 * more); // it is all there already
    var failure =
        catchThrowableOfType(
            Failure.class,
            () -> new DiskPlan(more, 2, 0, 0, 0, 0).require(folder.resolve("new"), 9));
    assertThat(failure.exit.code).isEqualTo(73);
    assertThat(failure.getMessage())
        .hasLineCount(1)
        .startsWith(folder.resolve("new") + ": the run needs ")
        .contains(" of disk (2 checkpoints of ")
        .endsWith(
            " are free; run.save_models=false, model.save=bf16 or run.checkpoint.keep=1 need less");
  }

  @Test
  void theDiskIsTriedOnlyForLargeCheckpoints() throws IOException {
    assertThat(new DiskPlan(60_000_000, 1, 0, 0, 0, 0).seconds(folder)).isZero();
    var large = new DiskPlan(1L << 26, 1, 0, 0, 0, 0);
    assertThat(large.seconds(folder)).isPositive().isFinite();
    assertThat(folder).isEmptyDirectory();
    try (var _ = new Injection(folder, "READ", Mode.ALL_AFTER, 1)) {
      assertThat(catchThrowableOfType(Failure.class, () -> large.seconds(folder))).isNotNull();
    }
    Disk.sweep(folder); // as the next run does
    assertThat(folder).as("nothing of the trial stays").isEmptyDirectory();
  }

  /**
   * What is planned is enough, give or take little, and not much more: of the methods that store
   * the most, and most differently.
   */
  @ParameterizedTest
  @EnumSource(names = {"ewc", "olora", "pp", "lfpt5", "seekr", "mtl"})
  void whatIsWrittenIsWhatWasPlanned(MethodName method) throws IOException {
    var config = config("method.name=" + method);
    var plan = plan(config);
    var run = new RunFolder(Path.of(config.run().out()));
    try (var r = Run.open(config, Stop.NEVER, List.of())) {
      r.train();
    }
    long text = 50_000; // state.json, headers, a tokenizer
    long checkpoint = Reading.size(Checkpoints.newest(run).orElseThrow().path());
    assertThat(checkpoint)
        .as("a checkpoint")
        .isBetween(plan.checkpoint() * 3 / 4, plan.checkpoint() * 11 / 10 + text);
    Path models = run.model(0, "x").getParent();
    long tokenizer = Files.size(Path.of("examples/nano/tokenizer.json"));
    assertThat(Reading.list(models)).hasSize(plan.models());
    assertThat(Reading.size(models))
        .as("models")
        .isBetween(plan.models() * plan.model(), plan.models() * (plan.model() + tokenizer + text));
    long kept =
        Reading.size(run.path().resolve("buffer")) + Reading.size(run.path().resolve("adapters"));
    boolean asMany = method != MethodName.lfpt5; // pseudo samples as the model makes good ones
    assertThat(kept).as("kept").isBetween(asMany ? plan.kept() / 2 : 0, plan.kept() + text);
  }
}
