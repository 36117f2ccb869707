package dev.seekr.config;

import static org.assertj.core.api.Assertions.assertThat;

import dev.seekr.config.RunConfig.Difference;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeSet;
import org.junit.jupiter.api.Test;

class RunConfigTest {
  private static RunConfig config(String... overrides) {
    return ConfigReader.parse("", "test", List.of(overrides));
  }

  @Test
  void sameSettings() {
    assertThat(config().differences(config())).isEmpty();
    assertThat(config("data.tasks=[a, b]").differences(config("data.tasks=[a, b]"))).isEmpty();
    assertThat(config("train.lr=1e-5").differences(config()))
        .as("a default that is said")
        .isEmpty();
  }

  /** Each with what it is here and what it was there, in the order of the settings. */
  @Test
  void differencesAreNamed() {
    var here = config("train.lr=0.5", "data.tasks=[b, a]", "method.name=ewc", "run.isa=scalar");
    var there = config("data.tasks=[a, b]", "eval.metrics={a: exact}");
    assertThat(here.differences(there))
        .containsExactly(
            new Difference("data.tasks", "[b, a]", "[a, b]"),
            new Difference("method.name", "ewc", "seekr"),
            new Difference("train.lr", "0.5", "1.0E-5"),
            new Difference("eval.metrics", "{}", "{a=exact}"),
            new Difference("run.isa", "scalar", "auto"));
    assertThat(here.differences(there).getFirst())
        .hasToString("data.tasks is [b, a], and was [a, b]");
    assertThat(there.differences(config()).getFirst())
        .hasToString("data.tasks is [a, b], and was null");
  }

  /** What results do not depend on may change while a run goes on; everything else may not. */
  @Test
  void freeSettings() {
    var free = new TreeSet<String>();
    Records.leaves(
        RunConfig.DEFAULT,
        "",
        (key, component, value) -> {
          if (component.getAnnotation(Setting.class).free()) free.add(key);
        });
    assertThat(free)
        .containsExactly(
            "dist.shard",
            "run.checkpoint.keep",
            "run.checkpoint.minutes",
            "run.checkpoint.steps",
            "run.out",
            "run.stop_grace",
            "run.threads",
            "run.time_limit");
    var changed =
        config(
            "dist.shard=optimizer",
            "run.checkpoint={keep: 5, minutes: 1, steps: 7}",
            "run.out=x",
            "run.stop_grace=1s",
            "run.threads=3",
            "run.time_limit=5m");
    assertThat(changed.differences(config())).isEmpty();
  }

  /** Of every setting another value is found, whatever its type. */
  @Test
  void everySettingThatIsNotFreeCounts() {
    Map<String, String> others =
        Map.ofEntries(
            Map.entry("String", "other"),
            Map.entry("boolean", ""),
            Map.entry("int", "3"),
            Map.entry("Integer", "3"),
            Map.entry("long", "3"),
            Map.entry("double", "0.25"),
            Map.entry("Double", "0.25"));
    var keys = new ArrayList<String>();
    Records.leaves(
        RunConfig.DEFAULT,
        "",
        (key, component, value) -> {
          var setting = component.getAnnotation(Setting.class);
          String type = component.getType().getSimpleName();
          if (setting.free() || !others.containsKey(type)) return;
          String other = others.get(type);
          if (type.equals("boolean")) other = "" + !(boolean) value;
          if (other.equals("" + value)) other = "4";
          var differences = config(key + "=" + other).differences(RunConfig.DEFAULT);
          assertThat(differences).extracting(Difference::key).containsExactly(key);
          keys.add(key);
        });
    assertThat(keys).hasSizeGreaterThan(40).contains("train.seed", "method.ewc.lambda");
  }

  @Test
  void anotherFolderAndPathsFromThere() {
    var config = config("model.path=m", "data.root=/d", "run.out=a", "run.threads=3");
    assertThat(config.at("b/c").run().out()).isEqualTo("b/c");
    assertThat(config.at("b/c").at("a")).isEqualTo(config);
    var from = config.from(Path.of("/home"));
    assertThat(from.model().path()).isEqualTo("/home/m");
    assertThat(from.data().root()).isEqualTo("/d");
    assertThat(from.run()).isEqualTo(config.run());
    assertThat(from.differences(config)).extracting(Difference::key).containsExactly("model.path");
    assertThat(config().from(Path.of("/home"))).isEqualTo(config());
    assertThat(config.from(Path.of(""))).isEqualTo(config);
  }
}
