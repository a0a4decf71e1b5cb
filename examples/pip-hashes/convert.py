# SPDX-License-Identifier: Apache-2.0
"""Markdown to HTML."""
import markdown

print(markdown.markdown("# locked\n\n*twice*"))
