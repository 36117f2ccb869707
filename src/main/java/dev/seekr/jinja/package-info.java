/**
 * Chat templates: {@link Template} interprets the subset of Jinja that models' templates are
 * written in. It computes within bounds and looks names up in maps alone, for a template is a
 * program that came with a model. {@code data} puts conversations through it.
 *
 * <p>Imports: {@code dev.seekr}.
 */
package dev.seekr.jinja;
