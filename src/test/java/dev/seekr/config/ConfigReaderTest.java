package dev.seekr.config;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.catchThrowableOfType;

import dev.seekr.Failure;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class ConfigReaderTest {
  @TempDir Path folder;

  private static RunConfig parse(String text, String... overrides) {
    return ConfigReader.parse(text, "run.yaml", List.of(overrides));
  }

  private static List<String> errors(String text, String... overrides) {
    var failure = catchThrowableOfType(Failure.class, () -> parse(text, overrides));
    assertThat(failure).as(text + List.of(overrides)).isNotNull();
    assertThat(failure.exit.code).isEqualTo(78);
    return failure.getMessage().lines().toList();
  }

  @Test
  void nothingGivenIsTheDefaults() {
    assertThat(parse("")).isEqualTo(RunConfig.DEFAULT);
    assertThat(parse("# only a comment\n")).isEqualTo(RunConfig.DEFAULT);
    assertThat(parse("train:\n  # lr: 1\nmethod:\n  seekr:\n")).isEqualTo(RunConfig.DEFAULT);
    assertThat(ConfigReader.read(List.of(), List.of())).isEqualTo(RunConfig.DEFAULT);
  }

  @Test
  void givenKeysReplaceDefaultsAndOverridesReplaceThose() throws IOException {
    Path file =
        Files.writeString(
            folder.resolve("run.yaml"),
            """
            model: {path: models/a, init: random}
            data:
              root: 2024
              tasks: [ScienceQA, "010"]
              max_prompt: 1_000
            method:
              name: derpp
              derpp: {distance: mse, alpha: 1}
              seekr:
                lambda2: 1e2
            train:
              lr: 2e-4
              eps: .5
              seed: -9_000_000_000
            eval:
              metrics: {a: exact}
            """);
    RunConfig config =
        ConfigReader.read(
            List.of(file),
            List.of(
                "train.lr=3e-4",
                "train.lr=1e-4",
                "data.tasks=[x, y]",
                "method.seekr={layers: 2, heads: null}",
                "eval.metrics.b=sari",
                "run.save_models=false"));
    assertThat(config.model())
        .isEqualTo(
            new ModelSettings(
                "models/a", ModelSettings.Init.random, ModelSettings.Saved.f32, List.of()));
    assertThat(config.data().root()).isEqualTo("2024");
    assertThat(config.data().tasks()).containsExactly("x", "y");
    assertThat(config.data().maxPrompt()).isEqualTo(1000);
    assertThat(config.data().maxAnswer()).isEqualTo(512);
    assertThat(config.method().name()).isEqualTo(MethodName.derpp);
    assertThat(config.method().derpp())
        .isEqualTo(new DerppSettings(1, 0.5, DerppSettings.Distance.mse));
    assertThat(config.method().seekr())
        .isEqualTo(
            new SeekrSettings(
                SeekrSettings.Variant.paper, 100.0, 2, null, 100, SeekrSettings.HeadChoice.both));
    assertThat(config.train().lr()).isEqualTo(1e-4);
    assertThat(config.train().eps()).isEqualTo(0.5);
    assertThat(config.train().seed()).isEqualTo(-9_000_000_000L);
    assertThat(config.eval().metrics())
        .isEqualTo(Map.of("a", MetricName.exact, "b", MetricName.sari));
    assertThat(config.run().saveModels()).isFalse();
  }

  @Test
  void everyErrorIsReportedAtOnceWithItsPlace() {
    assertThat(
            errors(
                """
                model:
                  path: m
                  pth: x
                data:
                  tasks: [a, a]
                  max_promt: 5
                method:
                  replay_ratio: 1.5
                  buffer_dtype: f64
                trian:
                  lr: 1
                train:
                  epochs: two
                  epochs: 3
                  lr: 0
                  recompute: maybe
                lr: 1
                """,
                "run.threads=-1",
                "train.schedule=cosin",
                "metod.name=seekr"))
        .containsExactlyInAnyOrder(
            "run.yaml:3: unknown key 'model.pth'; did you mean 'model.path'?",
            "run.yaml:5: 'data.tasks' must be one or more names, each once, but is [a, a]",
            "run.yaml:6: unknown key 'data.max_promt'; did you mean 'data.max_prompt'?",
            "run.yaml:8: 'method.replay_ratio' must be between 0 and 1, but is 1.5",
            "run.yaml:9: 'method.buffer_dtype' must be one of f16, f32, but is 'f64'",
            "run.yaml:10: unknown key 'trian'; did you mean 'train'?",
            "run.yaml:13: 'train.epochs' must be a whole number up to 2147483647, but is 'two'",
            "run.yaml:14: 'train.epochs' is given twice, first at run.yaml:13",
            "run.yaml:15: 'train.lr' must be above 0, but is 0.0",
            "run.yaml:16: 'train.recompute' must be one of none, feed_forward, layers, but is 'maybe'",
            "run.yaml:17: unknown key 'lr'; did you mean 'train.lr'?",
            "override 'run.threads=-1': 'run.threads' must be 0 to 1024, but is -1",
            "override 'train.schedule=cosin': 'train.schedule' must be one of constant, linear, cosine,"
                + " but is 'cosin'; did you mean 'cosine'?",
            "override 'metod.name=seekr': unknown key 'metod'; did you mean 'method'?");
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      quoteCharacter = '`',
      textBlock =
          """
          train.epochs=1.5        | must be a whole number
          train.epochs="5"        | must be a whole number
          train.epochs=3000000000 | must be a whole number up to 2147483647, but is '3000000000'
          train.epochs=0          | must be at least 1, but is 0
          train.epochs=null       | must be a whole number up to 2147483647, but is empty
          train.batch=[1]         | must be a whole number up to 2147483647, but is a list
          train.lr=.nan           | must be a finite number
          train.lr=.inf           | must be a finite number
          train.lr=1e999          | must be a finite number
          train.lr=-1e-5          | must be above 0
          train.lr=fast           | must be a finite number, but is 'fast'
          train.beta2=1           | must be at least 0 and below 1
          train.bogus_key_here=1  | unknown key 'train.bogus_key_here'; expected one of epochs, batch,
          train.lr.x=1            | 'train.lr' must be a finite number, but is a section
          train=5                 | 'train' is a section; expected keys such as 'epochs' below it
          data.tasks=a            | must be a list of texts, [a, b], but is 'a'
          data.tasks=[]           | must be one or more names
          data.tasks=[[a]]        | must be a text, but is a list
          data.order=5            | must be 0 (off) to 4
          model.path=             | no value; write null
          model.path="  "         | must be a text that is not empty
          data.tasks=*a           | aliases (*a) are not supported
          data.tasks=[            | not YAML
          eval.metrics={a: rouge}  | but is 'rouge'; did you mean 'rouge_l'?
          eval.metrics=exact      | must be a mapping, {name: text}, but is 'exact'
          train.lr                | expected key=value
          =1                      | expected key=value
          .lr=1                   | unknown key ''
          """)
  void wrongOverride(String override, String message) {
    assertThat(errors("", override))
        .hasSize(1)
        .first()
        .asString()
        .startsWith("override '" + override + "': ")
        .contains(message);
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      quoteCharacter = '`',
      textBlock =
          """
          train: {lr: 1        | not YAML
          train:\\n\\tlr: 1    | run.yaml:2: not YAML
          [a, b]               | run.yaml:1: expected settings
          5                    | run.yaml:1: expected settings
          train:\\n---\\nrun:  | run.yaml:3: a second YAML document
          a: &x 1\\nb: *x      | run.yaml:2: aliases
          """)
  void notSettings(String text, String message) {
    assertThat(errors(text.replace("\\n", "\n").replace("\\t", "\t")))
        .anyMatch(line -> line.contains(message));
  }

  /** Time and memory go with the length of a text, not with its square. */
  @Test
  void longTextsAreRefusedLikeShortOnes() {
    String digits = "1".repeat(200_000) + "x";
    assertThat(errors("train: {lr: %s}".formatted(digits)))
        .singleElement()
        .asString()
        .startsWith("run.yaml:1: 'train.lr' must be a finite number, but is '111")
        .hasSizeLessThan(1000);
    assertThat(errors("? %s\n: 1".formatted(digits)))
        .singleElement()
        .asString()
        .contains("unknown key");
    assertThat(errors("#" + digits + digits))
        .containsExactly("run.yaml:1: has 400003 characters; expected at most 262144");
  }

  @Test
  void filesThatCannotBeRead() throws IOException {
    Path missing = folder.resolve("none.yaml");
    var failure =
        catchThrowableOfType(Failure.class, () -> ConfigReader.read(List.of(missing), List.of()));
    assertThat(failure.exit.code).isEqualTo(66);
    assertThat(failure).hasMessage(missing + ": no such settings file");
    Path binary =
        Files.write(folder.resolve("binary.yaml"), new byte[] {(byte) 0xff, (byte) 0xfe, 0});
    failure =
        catchThrowableOfType(Failure.class, () -> ConfigReader.read(List.of(binary), List.of()));
    assertThat(failure.exit.code).isEqualTo(78);
    assertThat(failure).hasMessageContaining("not UTF-8");
  }

  @Test
  void trainingNeedsAModelTasksAndAFolder() {
    var failure = catchThrowableOfType(Failure.class, () -> parse("").requireTrainable());
    assertThat(failure.exit.code).isEqualTo(78);
    assertThat(failure.getMessage().lines().map(line -> line.split(" is not set")[0]))
        .containsExactlyInAnyOrder("run.out", "model.path", "data.root", "data.tasks");
    RunConfig both =
        parse("model: {path: m}\ndata: {root: d, tasks: [a], order: 1}\nrun: {out: r}");
    assertThat(catchThrowableOfType(Failure.class, both::requireTrainable))
        .hasMessageContaining("both set")
        .message()
        .hasLineCount(1);
    RunConfig good = parse("model: {path: m}\ndata: {root: d, order: 1}\nrun: {out: r}");
    assertThat(good.requireTrainable()).isSameAs(good);
    var ignored =
        parse(
            "model: {path: m}\ndata: {root: d, order: 1}\nrun: {out: r}\nmethod: {seekr: {choice: sensitivity, layers: 24}}");
    assertThat(catchThrowableOfType(Failure.class, ignored::requireTrainable))
        .hasMessageStartingWith(
            "method.seekr.layers is 24, but by method.seekr.choice sensitivity");
  }

  /** As files of old have it, which must go on. */
  @ParameterizedTest
  @CsvSource({"true, layers", "false, none", "feed_forward, feed_forward", "layers, layers"})
  void whatASettingWasOnceCalled(String written, String meant) {
    assertThat(parse("train: {recompute: " + written + "}").train().recompute()).hasToString(meant);
    assertThat(parse("", "train.recompute=" + written))
        .isEqualTo(parse("", "train.recompute=" + meant));
  }

  /** Never in silence: either it does something, or it is refused, or it is said to be idle. */
  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      value = {
        "run.backend=cpu      | train.state=host | train.state is host, but run.backend=cpu computes on the host",
        "run.backend=auto     | train.state=host | train.state is host, but run.backend=auto computes on the host",
        "run.backend=cuda     | train.state=host | ",
        "run.backend=cpu      | train.state=bf16 | ",
        "method.name=ewc      | train.state=bf16 | ",
        "method.name=agem,run.dtype=bf16 | train.state=bf16 | train.state is bf16, but method agem changes gradients",
        "method.name=ewc,run.backend=cuda | train.state=host | train.state is host, but method ewc changes gradients",
      })
  void howMomentsAreHeld(String where, String state, String refused) {
    var settings = new ArrayList<>(List.of(where.split(",")));
    settings.add(state);
    var config = ConfigReader.parse("", "test", settings);
    if (refused == null) assertThat(config.requireHeld()).isSameAs(config);
    else
      assertThat(catchThrowableOfType(Failure.class, config::requireHeld))
          .hasMessageStartingWith(refused)
          .message()
          .hasLineCount(1);
  }

  @Test
  void everySettingHasAMeaningAndADefaultWithinItsLimit() {
    Records.leaves(
        RunConfig.DEFAULT,
        "",
        (path, component, value) -> {
          var setting = component.getAnnotation(Setting.class);
          assertThat(setting).as(path).isNotNull();
          assertThat(setting.means()).as(path).isNotBlank();
          assertThat(value == null || setting.limit().holds(value)).as(path).isTrue();
          boolean number = value instanceof Number && component.getType() != long.class;
          assertThat(!number || setting.limit() != Limit.ANY).as(path).isTrue();
        });
  }

  @ParameterizedTest
  @ValueSource(strings = {"learning", "zzz"})
  void farNamesHaveNoNeighbour(String word) {
    assertThat(Names.nearest(word, List.of("lr", "epochs", "batch"))).isEmpty();
  }

  @Test
  void laterFilesLieOverEarlierOnes() throws IOException {
    Path run =
        Files.writeString(
            folder.resolve("run.yaml"), "method: {name: seqft, ewc: {gamma: 0.5}}\ntrain: {lr: 1}");
    Path preset =
        Files.writeString(folder.resolve("ewc.yaml"), "method: {name: ewc, ewc: {lambda: 7}}");
    RunConfig config = ConfigReader.read(List.of(run, preset), List.of("train.epochs=2"));
    assertThat(config.method().name()).isEqualTo(MethodName.ewc);
    assertThat(config.method().ewc()).isEqualTo(new EwcSettings(7, 0.5, 0));
    assertThat(config.train().lr()).isEqualTo(1);
    assertThat(config.train().epochs().of(3)).isEqualTo(2);

    Files.writeString(preset, "metod: {name: ewc}");
    assertThatThrownBy(() -> ConfigReader.read(List.of(run, preset), List.of()))
        .isInstanceOf(Failure.class)
        .hasMessage(preset + ":1: unknown key 'metod'; did you mean 'method'?");
  }

  /** Names of files are not read as YAML; what is quoted is. */
  @ParameterizedTest
  @ValueSource(
      strings = {
        "runs/x #1: y",
        "a: b",
        "%a",
        "!!java.io.File x",
        "[",
        "*a",
        "&a b",
        " x",
        "1e5",
        "-"
      })
  void textsAreTakenAsTheyAre(String text) {
    assertThat(ConfigReader.read(List.of(), List.of("run.out=" + text)).run().out())
        .isEqualTo(text);
  }

  @Test
  void quotedTexts() {
    assertThat(ConfigReader.read(List.of(), List.of("run.out=\"x\\ty\"")).run().out())
        .isEqualTo("x\ty");
    assertThat(ConfigReader.read(List.of(), List.of("run.out='x #1'")).run().out())
        .isEqualTo("x #1");
    assertThat(ConfigReader.read(List.of(), List.of("run.out=null")).run().out()).isNull();
  }

  @Test
  void epochsOfEachTask() {
    var train = ConfigReader.read(List.of(), List.of("train.epochs=[5, 10, 7]")).train();
    assertThat(train.epochs().stages()).isEqualTo(3);
    assertThat(train.epochs().of(1)).isEqualTo(10);
    assertThat(train.epochs())
        .hasToString("[5, 10, 7]")
        .isNotEqualTo(RunConfig.DEFAULT.train().epochs());
    for (String wrong : new String[] {"[]", "[5, 0]", "0", "[5, x]", "5.5", "{a: 5}"})
      assertThat(
              catchThrowableOfType(
                  Failure.class,
                  () -> ConfigReader.read(List.of(), List.of("train.epochs=" + wrong))))
          .as(wrong)
          .hasMessageContaining("'train.epochs' must be ");
  }
}
