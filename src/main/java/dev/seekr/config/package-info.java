/**
 * Settings: records whose components say their defaults, bounds and meaning ({@link Setting}).
 * {@link ConfigReader} makes a {@link RunConfig} of YAML files and {@code key=value} words, and
 * tells all mistakes at once. Every layer above takes its part of these records.
 *
 * <p>Imports: {@code dev.seekr}, {@code dev.seekr.disk}.
 */
package dev.seekr.config;
