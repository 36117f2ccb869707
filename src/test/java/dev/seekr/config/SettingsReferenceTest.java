package dev.seekr.config;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Test;

class SettingsReferenceTest {
  @Test
  void thePageAndTheSchemaAreCurrent() throws IOException {
    String how = "make settings writes them";
    assertThat(Files.readString(Path.of("docs/settings.md")))
        .as(how)
        .isEqualTo(SettingsReference.markdown());
    assertThat(Files.readString(Path.of("docs/seekr.schema.json")))
        .as(how)
        .isEqualTo(SettingsReference.schema());
  }

  @Test
  void theCommentedDefaultsAreTheDefaults() {
    String yaml = SettingsReference.yaml();
    assertThat(ConfigReader.parse(yaml, "info", List.of())).isEqualTo(RunConfig.DEFAULT);
    assertThat(yaml.lines()).allMatch(line -> line.length() <= 100);
    assertThat(yaml).contains("  # learning rate [a finite number, above 0]\n  lr: 1e-5\n");
  }

  @Test
  void everySettingIsInEveryForm() throws IOException {
    JsonNode schema = new ObjectMapper().readTree(SettingsReference.schema());
    String page = SettingsReference.markdown();
    Records.leaves(
        RunConfig.DEFAULT,
        "",
        (path, component, value) -> {
          JsonNode leaf = schema;
          for (String key : path.split("\\.")) leaf = leaf.path("properties").path(key);
          String means = component.getAnnotation(Setting.class).means();
          assertThat(leaf.path("description").textValue()).as(path).isEqualTo(means);
          assertThat(leaf.path("type")).as(path).isNotEmpty();
          if (value == null) assertThat(leaf.path("type").toString()).as(path).contains("\"null\"");
          assertThat(page).contains("| `" + path.substring(path.lastIndexOf('.') + 1) + "`");
        });
    JsonNode train = schema.path("properties").path("train");
    assertThat(train.path("additionalProperties").booleanValue()).isFalse();
    assertThat(train.path("properties").path("lr").path("exclusiveMinimum").intValue()).isZero();
    assertThat(train.path("properties").path("lr").path("default").doubleValue()).isEqualTo(1e-5);
    assertThat(schema.at("/properties/method/properties/name/enum").toString()).contains("derpp");
    assertThat(schema.at("/properties/eval/properties/metrics/additionalProperties/enum"))
        .isNotEmpty();
  }
}
