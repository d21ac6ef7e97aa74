"""The five languages as data: which part each node of a grammar plays."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Dialect:
    """One language. `roles`: type of node -> part, as `program`, `words` and `asked` know them.

    `success_is_true`: a command's status, as the language gives it, is true when the command succeeded (in Python, Perl
    and PHP it is the number, and 0 is false).
    """

    grammar: str
    roles: Mapping[str, str]
    success_is_true: bool = False
    prefix: str = ""  # what the grammar wants before plain code


def _roles(parts: str) -> dict[str, str]:
    lines = (line.partition(":") for line in parts.strip().splitlines())
    return {kind: role.strip() for role, _, kinds in lines for kind in kinds.split()}


PYTHON = Dialect("python", _roles("""
    string: string
    joined: concatenated_string
    content: string_content
    escape: escape_sequence escape_interpolation
    variable: identifier
    number: integer float
    list: list tuple expression_list set pattern_list argument_list
    call: call
    attribute: attribute
    index: subscript
    binary: binary_operator boolean_operator comparison_operator
    wrap: parenthesized_expression await expression_statement as_pattern interpolation list_splat type_conversion
    true: true
    false: false none
    assign: assignment augmented_assignment named_expression
    not: not_operator
    if: if_statement
    while: while_statement
    for: for_statement
    return: return_statement
    try: try_statement
    with: with_statement
    function: function_definition
    pair: keyword_argument
    gather: generator_expression list_comprehension set_comprehension
    import: import_statement import_from_statement
    stop: break_statement continue_statement
    skip: comment string_start string_end pass_statement type global_statement raise_statement
"""))  # fmt: skip
PERL = Dialect("perl", _roles("""
    string: interpolated_string_literal string_literal heredoc_content
    content: string_content
    escape: escape_sequence escaped_delimiter
    command: command_string
    pattern: match_regexp quoted_regexp
    variable: scalar array hash bareword arraylen
    sifted: map_grep_expression
    taken: readline_expression
    number: number
    list: parenthesized_expression list_expression anonymous_array_expression quoted_word_list
    call: function_call_expression ambiguous_function_call_expression func1op_call_expression
    call: method_call_expression eval_expression
    own: func0op_call_expression
    index: array_element_expression hash_element_expression
    binary: binary_expression lowprec_logical_expression equality_expression relational_expression
    wrap: expression_statement variable_declaration localization_expression
    assign: assignment_expression
    not: unary_expression
    if: conditional_statement postfix_conditional_expression
    while: loop_statement postfix_loop_expression
    for: for_statement postfix_for_expression
    endless: cstyle_for_statement
    return: return_expression
    function: subroutine_declaration_statement method_declaration_statement
    stop: loopex_expression
    skip: comment use_statement pod package_statement heredoc_end substitution_regexp
"""))  # fmt: skip
PHP = Dialect("php", _roles("""
    string: encapsed_string string heredoc nowdoc
    content: string_content heredoc_body nowdoc_body nowdoc_string
    escape: escape_sequence
    command: shell_command_expression
    variable: variable_name name
    number: integer float
    list: array_creation_expression
    call: function_call_expression member_call_expression nullsafe_member_call_expression scoped_call_expression
    call: object_creation_expression include_expression include_once_expression
    call: require_expression require_once_expression
    attribute: member_access_expression class_constant_access_expression
    index: subscript_expression
    binary: binary_expression
    wrap: parenthesized_expression expression_statement error_suppression_expression argument
    wrap: array_element_initializer cast_expression
    assign: assignment_expression augmented_assignment_expression
    truth: boolean
    false: null
    not: unary_op_expression
    if: if_statement
    while: while_statement
    for: foreach_statement
    endless: for_statement
    repeat: do_statement
    return: return_statement
    try: try_statement
    function: function_definition method_declaration
    stop: break_statement continue_statement
    skip: comment php_tag text text_interpolation namespace_use_declaration heredoc_start heredoc_end cast_type
"""), prefix="<?php ")  # fmt: skip
RUBY = Dialect("ruby", _roles("""
    string: string heredoc_body simple_symbol
    joined: chained_string
    content: string_content heredoc_content
    escape: escape_sequence
    command: subshell
    pattern: regex
    variable: identifier constant instance_variable global_variable class_variable
    number: integer float
    list: array string_array argument_list
    call: call
    attribute: scope_resolution
    index: element_reference
    binary: binary
    wrap: parenthesized_statements interpolation
    true: true
    false: false nil
    assign: assignment operator_assignment
    not: unary
    if: if unless if_modifier unless_modifier
    while: while until while_modifier until_modifier
    for: for
    return: return
    try: begin
    function: method singleton_method
    pair: pair
    stop: break next
    skip: comment
"""), success_is_true=True)  # fmt: skip
LUA = Dialect("lua", _roles("""
    string: string
    content: string_content
    escape: escape_sequence
    variable: identifier
    number: number
    list: table_constructor
    call: function_call
    attribute: dot_index_expression method_index_expression
    index: bracket_index_expression
    binary: binary_expression
    wrap: parenthesized_expression expression_list field variable_declaration
    true: true
    false: false nil
    assign: assignment_statement
    not: unary_expression
    if: if_statement
    while: while_statement
    for: for_statement
    repeat: repeat_statement
    return: return_statement
    function: function_declaration
    stop: break_statement
    skip: comment
"""), success_is_true=True)  # fmt: skip

DIALECTS: Mapping[str, Dialect] = {"python": PYTHON, "perl": PERL, "php": PHP, "ruby": RUBY, "lua": LUA}
