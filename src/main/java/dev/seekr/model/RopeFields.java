package dev.seekr.model;

import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.seekr.Failure;
import dev.seekr.disk.ConfigFields;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;

/**
 * The rotary embedding in config.json, in both spellings: rope_theta with rope_scaling, and
 * rope_parameters, which has all in one section or in a section for each type of layers.
 */
final class RopeFields {
  private static final String THETA = "rope_theta", OLD = "rope_scaling", NEW = "rope_parameters";

  private RopeFields() {}

  /** Throws Failure (65) for kinds that are not supported, and where the spellings differ. */
  static Rope parse(ConfigFields fields, Family family, int HS, int positions) {
    fields.only("partial_rotary_factor", 1); // no family here rotates parts of heads
    var ropes = new ArrayList<Rope>();
    if (fields.has(OLD) || !fields.has(NEW)) {
      double theta = fields.positive(THETA, family.theta);
      ConfigFields section = fields.has(OLD) ? fields.section(OLD) : null;
      if (section != null && section.has(THETA) && section.positive(THETA) != theta)
        throw section.wrong(THETA, "%s, as outside of it".formatted(theta));
      ropes.add(RopeKind.rope(section, HS, theta, positions));
    }
    for (ConfigFields section : newSections(fields)) {
      double theta = section.has(THETA) ? section.positive(THETA) : theta(fields, section, family);
      if (fields.has(THETA) && fields.positive(THETA) != theta)
        throw fields.wrong(THETA, "%s, as %s".formatted(theta, section.where()));
      ropes.add(RopeKind.rope(section, HS, theta, positions));
    }
    for (Rope rope : ropes)
      if (!rope.equals(ropes.getFirst()))
        throw fields.wrong(
            NEW,
            "one rotation for all layers, and the same as %s if both are there".formatted(OLD));
    Rope rope = ropes.getFirst();
    boolean finite = Float.isFinite(rope.scale());
    for (float f : rope.freq()) finite &= Float.isFinite(f * LlamaConfig.MOST_TOKENS);
    if (finite) return rope;
    throw Failure.data(
        "%s: rope_theta and the scaling give angles that are not finite", fields.where());
  }

  private static double theta(ConfigFields fields, ConfigFields section, Family family) {
    double outer = fields.has(THETA) ? fields.positive(THETA) : family.theta;
    return section.positive(THETA, outer);
  }

  private static List<ConfigFields> newSections(ConfigFields fields) {
    if (!fields.has(NEW)) return List.of();
    ConfigFields all = fields.section(NEW);
    if (all.sections().isEmpty()) return List.of(all);
    return all.sections().stream().map(all::section).toList();
  }

  /**
   * Adds the older spelling where there is only the newer: whoever reads one of them alone must
   * find the rotation that was trained with.
   */
  static void bothSpellings(ObjectNode config) {
    if (!(config.get(NEW) instanceof ObjectNode section)) return;
    var first = section.properties().iterator().next().getValue();
    ObjectNode flat = (first instanceof ObjectNode inner ? inner : section).deepCopy();
    config.set(THETA, flat.remove(THETA));
    String type = flat.path("rope_type").asText(flat.path("type").asText("default"));
    flat.put("rope_type", type);
    config.set(OLD, Objects.equals(type, "default") ? null : flat);
  }
}
