"""Which tests take long: `make test` leaves them out, `make test-long` runs them, and CI runs both.

They drive whole launches, real programs of both kinds, a control plane, or every case of a table. Of each subject
`make test` keeps a short one. A test that takes more than some five seconds of an idle machine belongs here.
"""

from __future__ import annotations

from collections.abc import Mapping

LONG: Mapping[str, tuple[str, ...]] = {
    "tests/bench/test_conditions.py": ("test_the_engine_and_the_reference_agree",),
    "tests/checks/test_extensions.py": ("test_the_guides_kind_comes_with_a_distribution_of_its_own",),
    "tests/checks/test_wire.py": ("test_each_trouble_has_its_error",),
    "tests/cluster/test_access.py": ("test_the_clusters_own_accounts_are_nobodys_power",),
    "tests/cluster/test_charts.py": ("test_ten_charts_are_equal_unchanged_and_a_change_by_hand_is_found",),
    "tests/cluster/test_diagnosis.py": ("test_odd_ones_are_complete_when_the_new_ones_serve_and_not_before",),
    "tests/cluster/test_equal.py": (
        "test_every_change_that_the_api_allows_is_found_with_and_without_the_servers_word",
    ),
    "tests/cluster/test_first_ten_minutes.py": (
        "test_init_doctor_and_check_lead_to_a_runbook_that_launches",
    ),
    "tests/cluster/test_migrations.py": (
        "test_a_job_of_its_own_with_the_pod_of_a_deployment",
        "test_a_job_of_that_name_is_there_already",
        "test_a_job_that_cannot_start_says_why_and_can_be_stopped",
        "test_a_job_that_is_gone_as_soon_as_it_is_done",
    ),
    "tests/cluster/test_operations.py": (
        "test_a_bad_image_fails_and_the_way_back_is_verified",
        "test_a_migration_that_fails",
        "test_first_install_migration_upgrade_and_back",
    ),
    "tests/cluster/test_permissions.py": (
        "test_a_whole_launch_with_exactly_these",
        "test_every_check_looks_with_the_roles_for_looking",
        "test_one_rule_less_is_told_before_helm_runs",
    ),
    "tests/cluster/test_previews.py": ("test_what_a_preview_says_of_kinds_hooks_and_others_is_so",),
    "tests/cluster/test_quiet.py": ("test_nothing_is_listed_while_nothing_changes",),
    "tests/cluster/test_readiness.py": (
        "test_a_paused_deployment_is_refused_and_the_way_back_is_not",
        "test_every_kind_of_workload_succeeds_and_goes_back",
        "test_half_applied_is_called_so",
        "test_the_clusters_own_reason_is_in_the_verdict",
    ),
    "tests/cluster/test_way_back.py": (
        "test_a_rollback_that_fails_is_told_as_failed_with_the_reason_of_helm",
        "test_an_autoscaler_that_scales_in_a_bake_and_then_the_way_back",
        "test_replicas_that_a_person_took_stop_neither_deploy_nor_rollback",
    ),
    "tests/console/cli/test_bad_logs.py": (
        "test_a_bad_log_has_one_code_everywhere",
        "test_a_log_that_this_account_may_not_read",
    ),
    "tests/console/cli/test_check.py": (
        "test_a_fault_is_named_and_counted",
        "test_a_prometheus_that_is_gone_is_unknown",
        "test_all_checks_of_two_gates_pass",
    ),
    "tests/console/cli/test_command_line.py": (
        "test_a_bad_runbook_names_file_line_and_column_of_every_problem",
        "test_a_damaged_log_is_named_with_its_first_bad_event_and_left_alone",
        "test_a_file_that_is_no_log_is_refused_and_left_alone",
        "test_an_answer_that_can_not_be_written_is_told",
        "test_an_unknown_fault_is_named",
        "test_what_is_no_runbook_at_all",
        "test_without_a_terminal_nothing_is_started",
    ),
    "tests/console/cli/test_first_ten_minutes.py": (
        "test_init_doctor_and_check_lead_to_a_runbook_that_launches",
    ),
    "tests/console/cli/test_of_another_version.py": ("test_replay_and_follow_show_it_as_it_stands",),
    "tests/console/cli/test_plain_launch.py": (
        "test_a_launch_is_opened_in_a_pipe_and_told_line_by_line_until_its_engine_ends",
        "test_a_rehearsal_is_told_line_by_line_and_goes_on_when_it_is_left",
    ),
    "tests/console/cli/test_serve.py": ("test_the_page_answers_with_its_key_and_shows_a_watcher",),
    "tests/console/cli/test_serve_drive.py": ("test_a_page_that_drives_acts_and_one_that_does_not_is_deaf",),
    "tests/console/client/test_signed_once.py": ("test_a_statement_about_something_else_is_refused",),
    "tests/console/engine/bake/test_after_a_gap.py": (
        "test_a_breach_that_nobody_could_look_at_trips_at_once",
    ),
    "tests/console/engine/bake/test_armed_anew.py": ("test_the_second_release_trips_as_the_first_did",),
    "tests/console/engine/operations/test_abort.py": (
        "test_a_deploy_before_helm",
        "test_a_deploy_in_its_rollout",
        "test_a_deploy_that_a_new_engine_follows",
        "test_a_migration_that_runs",
        "test_a_rollback_is_never_signalled",
        "test_real_helm_in_a_hook_in_a_rollout_and_in_a_rollback",
        "test_while_it_is_still_being_looked_at",
    ),
    "tests/console/engine/operations/test_blind_ways_back.py": (
        "test_a_page_that_is_too_large_closes_no_rollback",
        "test_a_rollback_without_a_history_that_can_be_seen_takes_two",
        "test_what_cannot_be_seen_is_said_and_closes_no_rollback",
    ),
    "tests/console/engine/operations/test_chart.py": ("test_it_is_vendored_and_deployed",),
    "tests/console/engine/operations/test_countdown.py": (
        "test_a_migration_that_is_not_compatible_disarms_the_countdown_and_says_why",
        "test_what_brought_production_nothing_back_does_not_switch_it_off",
        "test_without_a_migration_it_counts_down_and_rolls_back",
    ),
    "tests/console/engine/operations/test_first_install.py": (
        "test_a_failed_first_install_is_told_truly_and_tried_again",
        "test_a_failed_first_install_of_the_stand_in_too",
        "test_a_release_of_before_this_launch_is_never_taken_away",
        "test_a_release_that_is_there_after_all_locks_what_was_deferred",
        "test_it_is_taken_away_by_the_stand_in_too",
        "test_it_is_taken_away_with_its_records_and_installed_anew",
    ),
    "tests/console/engine/operations/test_hundred_canaries.py": (
        "test_they_are_nowhere",
        "test_they_are_nowhere_with_helm_itself",
    ),
    "tests/console/engine/operations/test_images.py": (
        "test_a_chart_with_parts_is_deployed_and_judged",
        "test_the_keys_that_a_refusal_names_do",
    ),
    "tests/console/engine/operations/test_interlock.py": (
        "test_declared_and_seen_to_be_so_opens_it",
        "test_declared_but_never_seen_keeps_it_closed_until_the_schema_is_back",
        "test_not_compatible_closes_it_also_for_a_tripped_condition",
    ),
    "tests/console/engine/operations/test_killed.py": (
        "test_a_first_install_that_was_killed_is_finished",
        "test_a_new_engine_attaches_to_the_helm_that_runs",
        "test_an_intent_that_was_never_started_changed_nothing",
        "test_helm_killed_in_a_rollback",
        "test_somebody_elses_stuck_release_is_left_alone_for_a_while",
        "test_the_engine_ended_in_good_order_leaves_helm_alone",
        "test_the_engine_killed_and_its_terminal_gone_in_an_upgrade",
        "test_the_engine_killed_in_a_rollback_and_helm_ended_meanwhile",
    ),
    "tests/console/engine/operations/test_lease.py": (
        "test_a_cluster_without_leases_closes_no_way_back",
        "test_a_helm_that_somebody_runs_by_hand_is_not_called_stuck",
        "test_two_launches_on_one_release",
    ),
    "tests/console/engine/operations/test_log_trouble.py": ("test_without_an_intent_or_a_pid_nothing_runs",),
    "tests/console/engine/operations/test_migrate.py": (
        "test_another_job_than_was_shown_is_not_created",
        "test_only_the_container_that_migrates_gets_the_image",
        "test_the_charts_own_hook_interlocks_the_deploy",
        "test_the_command_that_is_shown_makes_the_same_job",
        "test_two_migrations_do_not_run_at_once",
        "test_which_container_migrates_must_be_plain",
    ),
    "tests/console/engine/operations/test_preflight.py": (
        "test_a_values_file_changed_after_the_approval_voids_it",
        "test_accounts_clusters_and_helms_that_will_not_do",
        "test_an_unknown_operation_and_a_missing_secret",
        "test_draft_of_a_note_does_not_disturb_a_token",
        "test_gates_window_and_freeze_lock_production",
        "test_the_same_tag_with_a_new_digest_needs_two",
    ),
    "tests/console/engine/operations/test_private_copy.py": (
        "test_a_chart_from_elsewhere_is_fetched_once_and_run",
        "test_a_new_engine_takes_the_copy_over_and_removes_it",
        "test_swapped_between_the_confirmation_and_helm",
        "test_swapped_by_the_time_that_helm_runs",
        "test_swapped_in_the_middle_of_real_helm",
        "test_what_changed_since_the_preview_is_told",
    ),
    "tests/console/engine/operations/test_promoted_again.py": (
        "test_what_an_earlier_release_did_stands_against_the_next_and_two_people_open_it",
        "test_what_was_granted_is_granted_no_longer_once_something_else_stands_against_it",
    ),
    "tests/console/engine/operations/test_secrets.py": ("test_a_secret_in_a_pods_log_is_not_kept",),
    "tests/console/engine/operations/test_sop_commands.py": (
        "test_a_flag_of_the_upgrade_with_real_helm",
        "test_the_name_of_the_job_and_what_is_looked_at",
    ),
    "tests/console/engine/operations/test_verdicts.py": (
        "test_a_migration_that_fails_and_one_that_vanishes",
        "test_a_rollback_that_never_began_leaves_it_pending_and_says_so",
        "test_crashing_and_unschedulable_pods_are_explained",
        "test_deployed_is_not_what_was_wanted",
        "test_no_revision_no_rollback",
        "test_the_newest_good_one_not_the_one_before",
    ),
    "tests/console/engine/operations/test_ways.py": (
        "test_a_first_install_makes_namespace_and_secrets",
        "test_back_to_the_recorded_good_revision",
        "test_the_way_to_production",
    ),
    "tests/console/engine/operations/test_wire.py": (
        "test_a_failing_hook_after_a_rollback",
        "test_a_failing_hook_before",
        "test_a_failing_image_twice_goes_back_to_the_good_one",
        "test_fails_before_its_revision_exists_and_is_not_rolled_back",
        "test_first_install_upgrade_and_back",
        "test_two_at_once",
    ),
    "tests/console/engine/operations/test_wire_between.py": (
        "test_a_freeze_that_begins_between_go_and_deploy",
        "test_a_migration_that_ran_and_is_not_compatible",
        "test_the_same_tag_with_a_new_digest",
        "test_values_changed_after_the_approval",
    ),
    "tests/console/engine/operations/test_wire_killed.py": (
        "test_helm_killed_in_a_first_install",
        "test_helm_killed_in_a_rollback",
        "test_helm_killed_or_hung_up_in_an_upgrade",
        "test_the_engine_killed_and_its_terminal_gone",
    ),
    "tests/console/engine/operations/test_wire_secrets.py": ("test_they_are_nowhere",),
    "tests/console/engine/process/test_process.py": (
        "test_a_hangup_does_not_end_it",
        "test_list_and_stop",
    ),
    "tests/console/engine/record/test_echoed_launch.py": (
        "test_nothing_is_left_of_what_every_server_says_back",
    ),
    "tests/console/engine/test_stages.py": ("test_a_stage_is_run_by_a_command_and_locks_what_asks_for_it",),
    "tests/console/engine/watch/test_blindness.py": (
        "test_a_server_that_answers_no_more_is_told_and_so_is_its_return",
    ),
    "tests/console/engine/watch/test_watch.py": (
        "test_a_mute_takes_power_and_no_memory",
        "test_it_trips_on_hold_as_it_would_without",
    ),
    "tests/console/rehearsal/autopilot/test_first_launch.py": ("test_a_first_launch_passes_its_own_gates",),
    "tests/console/rehearsal/autopilot/test_headless.py": (
        "test_a_bad_candidate_trips_rolls_back_verifies_and_is_no_go",
        "test_a_good_candidate_ends_with_ten_gates_go_in_a_minute",
    ),
    "tests/console/rehearsal/autopilot/test_headless_killed.py": ("test_a_killed_rehearsal_goes_on_to_go",),
    "tests/console/rehearsal/autopilot/test_promoted_again.py": (
        "test_the_second_promotion_takes_two_people_and_trips_again",
    ),
    "tests/console/rehearsal/dotmac/faults/test_fault_table.py": (
        "test_a_fault_that_was_taken_out_leaves_nothing",
        "test_what_is_wrong_with_the_release_before_harms_nobody",
    ),
    "tests/console/rehearsal/dotmac/faults/test_faults.py": (
        "test_a_bad_candidate_hurts_once_it_is_live_and_a_rollback_cures_it",
    ),
    "tests/console/rehearsal/dotmac/faults/test_out_of_reach.py": (
        "test_a_cluster_out_of_reach_is_unknown_and_says_why",
    ),
    "tests/console/rehearsal/dotmac/faults/test_watched_faults.py": (
        "test_each_fault_of_the_bake_breaches_its_conditions",
    ),
    "tests/console/rehearsal/dotmac/test_canaries.py": ("test_they_are_nowhere",),
    "tests/console/rehearsal/dotmac/test_live_look.py": (
        "test_a_condition_that_could_never_trip_is_unknown",
    ),
    "tests/console/rehearsal/sim/helm/test_helm_program.py": (
        "test_upgrade_history_and_rollback_to_a_revision",
    ),
    "tests/console/rehearsal/sim/kubernetes/test_like_the_real_one.py": (
        "test_the_real_one_answers_as_recorded",
        "test_the_simulated_one_answers_like_the_real_one",
    ),
    "tests/console/rehearsal/sim/prometheus/test_oracle.py": ("test_promtool_gives_the_same_values",),
    "tests/console/rehearsal/sim/prometheus/test_promql.py": ("test_a_range_query_is_its_instant_queries",),
    "tests/console/rehearsal/web_service/test_web_service.py": (
        "test_a_fault_of_the_platform_is_no_fault_of_the_service",
        "test_a_web_service_ends_with_its_six_gates_go",
        "test_its_bad_candidate_trips_and_is_rolled_back",
    ),
    "tests/console/rehearsal/world/test_third_product.py": (
        "test_it_is_launched_and_its_fault_takes_it_back",
    ),
    "tests/console/rehearsal/world/test_world.py": (
        "test_a_temporary_world_leaves_nothing_behind",
        "test_range_is_one_line_and_a_killed_one_resumes",
    ),
    "tests/console/ui/test_console.py": (
        "test_both_themes_show_the_same_words",
        "test_every_glyph_on_every_screen_is_one_cell_wide",
        "test_five_thousand_pods_are_shown_quickly",
    ),
    "tests/screens/dialogs/test_dialogs.py": (
        "test_keys_between_a_wish_and_its_dialog_reach_no_screen",
        "test_no_column_of_a_command_is_hidden",
    ),
    "tests/screens/dialogs/test_tour.py": ("test_escape_leaves_it_anywhere",),
    "tests/screens/dialogs/test_typing.py": ("test_every_sentence_ends_in_its_field_and_does_nothing_else",),
    "tests/screens/kit/test_viewport.py": ("test_the_bake_is_zoomed_panned_and_brought_back",),
    "tests/screens/test_commands.py": (
        "test_a_key_after_a_word_waits_for_the_engine_and_never_for_long",
        "test_a_request_is_on_every_screen_and_is_answered_by_g",
        "test_the_rollback_is_productions_whatever_the_order_of_the_runbook",
    ),
    "tests/screens/test_dashboard.py": (
        "test_the_banner_says_rolled_back_only_when_production_was",
        "test_the_screen_is_filled_and_no_line_is_too_long",
    ),
    "tests/screens/test_every_binding.py": ("test_nothing_that_may_hurt_is_carried_out_but_by_its_dialog",),
    "tests/screens/test_failures.py": ("test_a_failure_is_a_visible_state_and_the_console_goes_on",),
    "tests/screens/test_finding.py": (
        "test_a_slash_filters_every_list",
        "test_the_mouse_opens_gates_items_sections_and_presses_keys",
    ),
    "tests/screens/test_frames.py": (
        "test_frames_at_every_size",
        "test_styles_in_every_theme",
    ),
    "tests/screens/test_hostile.py": (
        "test_forty_kinds_of_payload_on_every_screen",
        "test_no_text_from_outside_reaches_the_terminal_or_ends_the_console",
    ),
    "tests/screens/test_pods.py": ("test_every_screen_judges_a_pod_alike",),
    "tests/screens/test_room.py": (
        "test_a_list_and_its_evidence_stand_side_by_side_from_120_columns",
        "test_nothing_is_black_where_there_is_room",
    ),
    "tests/state/base/test_kube_yaml.py": ("test_a_bomb_of_aliases_is_refused_and_a_deep_nest_too",),
    "tests/state/report/test_chromium.py": ("test_its_text_has_every_number_that_the_screens_had",),
    "tests/state/runbook/test_lint.py": ("test_a_condition_is_held_against_its_queries",),
    "tests/state/view/test_next_step.py": (
        "test_from_the_first_gate_on_there_always_is_one_and_it_can_be_taken",
    ),
    "tests/terminal/test_bad_candidate.py": ("test_a_bad_candidate_trips_and_is_rolled_back_by_keys",),
    "tests/terminal/test_first_launch.py": (
        "test_a_first_launch_fails_is_taken_away_and_driven_by_keys_to_ten_gates_go",
    ),
    "tests/terminal/test_launch.py": ("test_a_good_candidate_is_driven_by_keys_to_gate_ten_and_replayed",),
    "tests/terminal/test_lost_console.py": (
        "test_a_killed_console_and_a_closed_terminal_leave_upgrade_and_rollback_alone",
    ),
    "tests/terminal/test_lost_engine.py": (
        "test_a_killed_engine_is_told_and_started_again_and_the_bake_goes_on",
    ),
    "tests/terminal/test_sentences.py": ("test_twelve_sentences_at_two_paces_end_in_their_field",),
    "tests/terminal/test_two_consoles.py": ("test_the_second_console_watches_and_is_refused_with_a_reason",),
    "tests/terminal/test_what_next.py": ("test_a_launch_by_what_the_screen_says_comes_next",),
    "tests/test_programs.py": ("test_without_any_of_them_nothing_is_red",),
    "tests/wire/test_conditions.py": (
        "test_a_breach_that_was_over_before_the_engine_came_back_trips_at_its_start",
        "test_a_breach_trips_when_for_is_over_also_with_an_engine_that_was_away",
        "test_a_dead_target_is_blind_and_not_green",
        "test_a_short_outage_of_the_service_does_not_trip",
    ),
    "tests/wire/test_monitors.py": ("test_what_is_wrong_with_the_monitors_is_said",),
}
"""A module, and the functions of it."""
SHORT = frozenset(
    {
        "tests/console/engine/operations/test_wire.py::test_first_install_upgrade_and_back[4]",
        "tests/screens/test_hostile.py::test_forty_kinds_of_payload_on_every_screen[size0]",
    }
)
"""Cases of long tests that are short enough to stand for them."""


def is_long(nodeid: str) -> bool:
    """Return whether a test takes long."""
    module, _, name = nodeid.partition("::")
    return name.partition("[")[0] in LONG.get(module, ()) and nodeid not in SHORT
